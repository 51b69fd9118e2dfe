CREATE SCHEMA "queue";
--> statement-breakpoint
CREATE TABLE "connections" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"grant_id" uuid NOT NULL,
	"provider" text NOT NULL,
	"account_id" text NOT NULL,
	"account_name" text NOT NULL,
	"account_url" text,
	"account_aliases" text[] DEFAULT '{}' NOT NULL,
	"account_currency" text,
	"mode" text NOT NULL,
	"status" text NOT NULL,
	"health" text DEFAULT 'ok' NOT NULL,
	"status_reason" text,
	"models" text[] NOT NULL,
	"granted_scopes" text[] DEFAULT '{}' NOT NULL,
	"params" jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"activated_at" timestamp with time zone,
	"last_synced_at" timestamp with time zone,
	"next_run_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "connections_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"provider" text NOT NULL,
	"provider_app_id" uuid NOT NULL,
	"account_id" text NOT NULL,
	"mode" text NOT NULL,
	"params" jsonb NOT NULL,
	"tokens" "bytea",
	"previous_tokens" "bytea",
	"row_version" integer DEFAULT 1 NOT NULL,
	"scopes" text[] DEFAULT '{}' NOT NULL,
	"state" text NOT NULL,
	"dead_since" timestamp with time zone,
	"fence" bigint DEFAULT 0 NOT NULL,
	"lease_until" timestamp with time zone,
	"attempt_id" uuid,
	"access_expires_at" timestamp with time zone,
	"refresh_at" timestamp with time zone,
	"refresh_expires_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "grants_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "orphan_token_pairs" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"grant_id" uuid NOT NULL,
	"tokens" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "orphan_token_pairs_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "event_heads" (
	"workspace_id" uuid PRIMARY KEY NOT NULL,
	"epoch" integer DEFAULT 1 NOT NULL,
	"position" bigint DEFAULT 0 NOT NULL,
	"lease_token" uuid
);
--> statement-breakpoint
CREATE TABLE "events" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"connection_id" uuid,
	"type" text NOT NULL,
	"model" text,
	"record_id" uuid,
	"record_version" integer,
	"occurred_at" timestamp with time zone NOT NULL,
	"body" "bytea" NOT NULL,
	"body_key_id" uuid NOT NULL,
	"position" bigint,
	CONSTRAINT "events_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "change_counters" (
	"workspace_id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"value" bigint NOT NULL,
	CONSTRAINT "change_counters_workspace_id_tenant_uid_pk" PRIMARY KEY("workspace_id","tenant_uid")
);
--> statement-breakpoint
CREATE TABLE "record_quarantine" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"run_id" uuid,
	"resource" text NOT NULL,
	"remote_id" text,
	"issue_path" text NOT NULL,
	"issue_code" text NOT NULL,
	"raw" "bytea" NOT NULL,
	"body_key_id" uuid NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "record_quarantine_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "records" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"provider" text NOT NULL,
	"account_id" text NOT NULL,
	"mode" text NOT NULL,
	"model" text NOT NULL,
	"remote_id" text NOT NULL,
	"parent_remote_id" text,
	"version" integer NOT NULL,
	"change_seq" bigint NOT NULL,
	"content_hash" "bytea" NOT NULL,
	"source_version" bigint,
	"projection_version" integer NOT NULL,
	"read_started_at" timestamp with time zone NOT NULL,
	"read_ended_at" timestamp with time zone NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"remote_updated_at" timestamp with time zone,
	"deleted" boolean DEFAULT false NOT NULL,
	"remote_deleted_at" timestamp with time zone,
	"merged_into_id" uuid,
	"data" jsonb NOT NULL,
	"raw" "bytea",
	"body_key_id" uuid,
	CONSTRAINT "records_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "data_keys" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"purpose" text NOT NULL,
	"scope" text DEFAULT '' NOT NULL,
	"state" text NOT NULL,
	"workspace_key_id" uuid NOT NULL,
	"wrapped" "bytea" NOT NULL,
	"key_check" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"destroyed_at" timestamp with time zone,
	CONSTRAINT "data_keys_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "vault_canaries" (
	"kek_version" text PRIMARY KEY NOT NULL,
	"provider" text NOT NULL,
	"wrapped" "bytea" NOT NULL,
	"key_check" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workspace_keys" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"state" text NOT NULL,
	"provider" text NOT NULL,
	"kek_version" text NOT NULL,
	"wrapped" "bytea" NOT NULL,
	"key_check" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "workspace_keys_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"public_id" text NOT NULL,
	"secret_hash" "bytea" NOT NULL,
	"name" text NOT NULL,
	"scopes" text[] NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "api_keys_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"workspace_id" uuid NOT NULL,
	"key" text NOT NULL,
	"request_hash" "bytea" NOT NULL,
	"status" integer,
	"response" "bytea",
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_workspace_id_key_pk" PRIMARY KEY("workspace_id","key")
);
--> statement-breakpoint
CREATE TABLE "provider_apps" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"provider" text NOT NULL,
	"client_id" text NOT NULL,
	"client_secret" "bytea" NOT NULL,
	"previous_client_secret" "bytea",
	"previous_secret_until" timestamp with time zone,
	"base_url_override" text,
	"row_version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "provider_apps_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"workspace_id" uuid NOT NULL,
	"uid" uuid NOT NULL,
	"external_id" text NOT NULL,
	"name" text,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"erased_at" timestamp with time zone,
	CONSTRAINT "tenants_workspace_id_uid_pk" PRIMARY KEY("workspace_id","uid")
);
--> statement-breakpoint
CREATE TABLE "workspaces" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"mode" text NOT NULL,
	"return_urls" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queue"."arrivals" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"run_at" timestamp with time zone NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queue"."feed" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"workspace_id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"lane_id" uuid NOT NULL,
	"task" text NOT NULL,
	"run_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queue"."items" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"workspace_id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"lane_id" uuid NOT NULL,
	"task" text NOT NULL,
	"run_at" timestamp with time zone NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queue"."lanes" (
	"kind" text NOT NULL,
	"workspace_id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"lane_id" uuid NOT NULL,
	"pending" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp with time zone NOT NULL,
	"lease_until" timestamp with time zone,
	"lease_token" uuid,
	CONSTRAINT "lanes_workspace_id_kind_lane_id_tenant_uid_pk" PRIMARY KEY("workspace_id","kind","lane_id","tenant_uid")
);
--> statement-breakpoint
CREATE TABLE "queue"."tenants" (
	"workspace_id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"kind" text NOT NULL,
	"virtual_time" double precision DEFAULT 0 NOT NULL,
	CONSTRAINT "tenants_workspace_id_tenant_uid_kind_pk" PRIMARY KEY("workspace_id","tenant_uid","kind")
);
--> statement-breakpoint
CREATE TABLE "queue"."unsequenced" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queue"."workspaces" (
	"workspace_id" uuid PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authorizations" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"end_user_id" text NOT NULL,
	"end_user_email" text,
	"end_user_label" text,
	"provider" text NOT NULL,
	"params" jsonb NOT NULL,
	"models" text[] NOT NULL,
	"connection_id" uuid,
	"display" text NOT NULL,
	"opener_origin" text NOT NULL,
	"return_url" text,
	"verifier_challenge" text NOT NULL,
	"ticket_hash" "bytea",
	"ticket_expires_at" timestamp with time zone,
	"state_hash" "bytea",
	"browser_nonce_hash" "bytea",
	"completion_code_hash" "bytea",
	"pkce_verifier" "bytea",
	"status" text NOT NULL,
	"error" text,
	"missing_scopes" text[] DEFAULT '{}' NOT NULL,
	"grant_id" uuid,
	"account_id" text,
	"account_name" text,
	"account_url" text,
	"account_aliases" text[] DEFAULT '{}' NOT NULL,
	"account_currency" text,
	"account_test_mode" boolean,
	"granted_scopes" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"completed_at" timestamp with time zone,
	CONSTRAINT "authorizations_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "connect_sessions" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"end_user_id" text NOT NULL,
	"end_user_label" text,
	"end_user_email" text,
	"providers" text[],
	"models" text[],
	"permissions" text[] NOT NULL,
	"connection_ids" text[],
	"allowed_origins" text[] NOT NULL,
	"return_url" text,
	"locale" text,
	"expires_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "connect_sessions_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "attempts" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"delivery_id" uuid NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"event_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"status_code" integer,
	"problem" text,
	"duration_ms" integer NOT NULL,
	"response_body" text,
	"started_at" timestamp with time zone NOT NULL,
	CONSTRAINT "attempts_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"event_id" uuid NOT NULL,
	"event_type" text NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"position" bigint,
	"status" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"schedule_offset" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "deliveries_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "endpoint_secrets" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"secret" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone,
	CONSTRAINT "endpoint_secrets_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "endpoints" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"url" text NOT NULL,
	"description" text,
	"types" text[] DEFAULT '{}' NOT NULL,
	"models" text[] DEFAULT '{}' NOT NULL,
	"status" text NOT NULL,
	"disabled_reason" text,
	"since_position" bigint DEFAULT 0 NOT NULL,
	"failing_since" timestamp with time zone,
	"last_success_at" timestamp with time zone,
	"open_until" timestamp with time zone,
	"consecutive_failures" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "endpoints_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "dirty_marks" (
	"workspace_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"resource" text NOT NULL,
	"remote_id" text NOT NULL,
	"generation" bigint NOT NULL,
	"deletion_hinted" boolean DEFAULT false NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"hinted_at" timestamp with time zone NOT NULL,
	"next_at" timestamp with time zone NOT NULL,
	CONSTRAINT "dirty_marks_workspace_id_connection_id_resource_remote_id_pk" PRIMARY KEY("workspace_id","connection_id","resource","remote_id")
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"workspace_id" uuid NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"id" uuid NOT NULL,
	"source_id" uuid NOT NULL,
	"provider" text NOT NULL,
	"headers" jsonb NOT NULL,
	"body" "bytea" NOT NULL,
	"body_key_id" uuid NOT NULL,
	"body_bytes" integer NOT NULL,
	"body_sha256" "bytea" NOT NULL,
	"secret_index" smallint NOT NULL,
	CONSTRAINT "inbox_workspace_id_received_at_id_pk" PRIMARY KEY("workspace_id","received_at","id")
) PARTITION BY RANGE ("received_at");
--> statement-breakpoint
CREATE TABLE "inbox_dedupe" (
	"workspace_id" uuid NOT NULL,
	"source_id" uuid NOT NULL,
	"key" "bytea" NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	CONSTRAINT "inbox_dedupe_workspace_id_source_id_key_pk" PRIMARY KEY("workspace_id","source_id","key")
);
--> statement-breakpoint
CREATE TABLE "inbox_outcomes" (
	"workspace_id" uuid NOT NULL,
	"inbox_id" uuid NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"element" smallint NOT NULL,
	"status" text NOT NULL,
	"problem" text,
	"topic" text,
	"connection_id" uuid,
	"tenant_uid" uuid,
	"routed_at" timestamp with time zone NOT NULL,
	CONSTRAINT "inbox_outcomes_workspace_id_inbox_id_element_pk" PRIMARY KEY("workspace_id","inbox_id","element")
);
--> statement-breakpoint
CREATE TABLE "privacy_requests" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"inbox_id" uuid NOT NULL,
	"provider" text NOT NULL,
	"request" text NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "privacy_requests_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_uid" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"mode" text NOT NULL,
	"status" text NOT NULL,
	"models" jsonb NOT NULL,
	"cursors" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"problem" text,
	"cancel_requested_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	CONSTRAINT "runs_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "sources" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"provider" text NOT NULL,
	"provider_app_id" uuid NOT NULL,
	"connection_id" uuid,
	"created_at" timestamp with time zone NOT NULL,
	"disabled_at" timestamp with time zone,
	CONSTRAINT "sources_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "subscriptions" (
	"workspace_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"topic" text NOT NULL,
	"remote_id" text NOT NULL,
	"uri" text NOT NULL,
	"checked_at" timestamp with time zone NOT NULL,
	CONSTRAINT "subscriptions_workspace_id_connection_id_topic_pk" PRIMARY KEY("workspace_id","connection_id","topic")
);
--> statement-breakpoint
CREATE TABLE "sync_cursors" (
	"workspace_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"resource" text NOT NULL,
	"changed_since" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "sync_cursors_workspace_id_connection_id_resource_pk" PRIMARY KEY("workspace_id","connection_id","resource")
);
--> statement-breakpoint
ALTER TABLE "connections" ADD CONSTRAINT "connections_workspace_id_tenant_uid_tenants_workspace_id_uid_fk" FOREIGN KEY ("workspace_id","tenant_uid") REFERENCES "public"."tenants"("workspace_id","uid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "connections" ADD CONSTRAINT "connections_workspace_id_grant_id_grants_workspace_id_id_fk" FOREIGN KEY ("workspace_id","grant_id") REFERENCES "public"."grants"("workspace_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "orphan_token_pairs" ADD CONSTRAINT "orphan_token_pairs_workspace_id_grant_id_grants_workspace_id_id_fk" FOREIGN KEY ("workspace_id","grant_id") REFERENCES "public"."grants"("workspace_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "records" ADD CONSTRAINT "records_workspace_id_connection_id_connections_workspace_id_id_fk" FOREIGN KEY ("workspace_id","connection_id") REFERENCES "public"."connections"("workspace_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_workspace_id_endpoint_id_endpoints_workspace_id_id_fk" FOREIGN KEY ("workspace_id","endpoint_id") REFERENCES "public"."endpoints"("workspace_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_workspace_id_event_id_events_workspace_id_id_fk" FOREIGN KEY ("workspace_id","event_id") REFERENCES "public"."events"("workspace_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "endpoint_secrets" ADD CONSTRAINT "endpoint_secrets_workspace_id_endpoint_id_endpoints_workspace_id_id_fk" FOREIGN KEY ("workspace_id","endpoint_id") REFERENCES "public"."endpoints"("workspace_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dirty_marks" ADD CONSTRAINT "dirty_marks_workspace_id_connection_id_connections_workspace_id_id_fk" FOREIGN KEY ("workspace_id","connection_id") REFERENCES "public"."connections"("workspace_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_workspace_id_connection_id_connections_workspace_id_id_fk" FOREIGN KEY ("workspace_id","connection_id") REFERENCES "public"."connections"("workspace_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "connections_live_account" ON "connections" USING btree ("workspace_id","tenant_uid","provider","account_id","mode") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "connections_account" ON "connections" USING btree ("workspace_id","provider","account_id");--> statement-breakpoint
CREATE INDEX "connections_grant" ON "connections" USING btree ("workspace_id","grant_id");--> statement-breakpoint
CREATE INDEX "connections_next_run" ON "connections" USING btree ("workspace_id","next_run_at");--> statement-breakpoint
CREATE UNIQUE INDEX "grants_account" ON "grants" USING btree ("workspace_id","provider_app_id","account_id","mode") WHERE state <> 'ended';--> statement-breakpoint
CREATE UNIQUE INDEX "events_position" ON "events" USING btree ("workspace_id","position") WHERE position is not null;--> statement-breakpoint
CREATE INDEX "events_unsequenced" ON "events" USING btree ("workspace_id","id") WHERE position is null;--> statement-breakpoint
CREATE UNIQUE INDEX "events_record_version" ON "events" USING btree ("workspace_id","record_id","record_version") WHERE record_id is not null;--> statement-breakpoint
CREATE INDEX "record_quarantine_connection" ON "record_quarantine" USING btree ("workspace_id","connection_id","created_at");--> statement-breakpoint
CREATE INDEX "records_by_change" ON "records" USING btree ("workspace_id","tenant_uid","model","change_seq","id");--> statement-breakpoint
CREATE INDEX "records_by_connection" ON "records" USING btree ("workspace_id","connection_id","model","last_seen_at");--> statement-breakpoint
CREATE INDEX "records_by_parent" ON "records" USING btree ("workspace_id","tenant_uid","account_id","model","parent_remote_id");--> statement-breakpoint
CREATE UNIQUE INDEX "data_keys_active" ON "data_keys" USING btree ("workspace_id","tenant_uid","purpose","scope") WHERE state = 'active';--> statement-breakpoint
CREATE UNIQUE INDEX "workspace_keys_active" ON "workspace_keys" USING btree ("workspace_id") WHERE state = 'active';--> statement-breakpoint
CREATE INDEX "workspace_keys_kek" ON "workspace_keys" USING btree ("workspace_id","kek_version");--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_public_id" ON "api_keys" USING btree ("workspace_id","public_id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_created_at" ON "idempotency_keys" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "provider_apps_provider" ON "provider_apps" USING btree ("workspace_id","provider");--> statement-breakpoint
CREATE UNIQUE INDEX "tenants_external_id" ON "tenants" USING btree ("workspace_id","external_id") WHERE erased_at is null;--> statement-breakpoint
CREATE INDEX "arrivals_run_at" ON "queue"."arrivals" USING btree ("run_at");--> statement-breakpoint
CREATE INDEX "items_lane" ON "queue"."items" USING btree ("workspace_id","kind","lane_id","tenant_uid","run_at","id");--> statement-breakpoint
CREATE INDEX "lanes_ready" ON "queue"."lanes" USING btree ("kind","next_at") WHERE pending > 0;--> statement-breakpoint
CREATE INDEX "lanes_leased" ON "queue"."lanes" USING btree ("lease_until") WHERE lease_until is not null;--> statement-breakpoint
CREATE INDEX "unsequenced_workspace" ON "queue"."unsequenced" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "authorizations_open" ON "authorizations" USING btree ("workspace_id","status","expires_at");--> statement-breakpoint
CREATE INDEX "authorizations_end_user" ON "authorizations" USING btree ("workspace_id","tenant_uid","end_user_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "connect_sessions_token" ON "connect_sessions" USING btree ("workspace_id","token_hash");--> statement-breakpoint
CREATE INDEX "connect_sessions_expiry" ON "connect_sessions" USING btree ("workspace_id","expires_at");--> statement-breakpoint
CREATE INDEX "attempts_endpoint" ON "attempts" USING btree ("workspace_id","endpoint_id","id");--> statement-breakpoint
CREATE INDEX "attempts_delivery" ON "attempts" USING btree ("workspace_id","delivery_id","number");--> statement-breakpoint
CREATE UNIQUE INDEX "deliveries_event" ON "deliveries" USING btree ("workspace_id","endpoint_id","event_id");--> statement-breakpoint
CREATE INDEX "deliveries_status" ON "deliveries" USING btree ("workspace_id","status","id");--> statement-breakpoint
CREATE INDEX "deliveries_open" ON "deliveries" USING btree ("workspace_id","endpoint_id","position") WHERE status in ('pending', 'held');--> statement-breakpoint
CREATE INDEX "endpoint_secrets_endpoint" ON "endpoint_secrets" USING btree ("workspace_id","endpoint_id","created_at");--> statement-breakpoint
CREATE INDEX "inbox_dedupe_seen_at" ON "inbox_dedupe" USING btree ("workspace_id","seen_at");--> statement-breakpoint
CREATE INDEX "inbox_outcomes_status" ON "inbox_outcomes" USING btree ("workspace_id","status","inbox_id");--> statement-breakpoint
CREATE UNIQUE INDEX "runs_open" ON "runs" USING btree ("workspace_id","connection_id") WHERE status in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "runs_connection" ON "runs" USING btree ("workspace_id","connection_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "sources_connection" ON "sources" USING btree ("workspace_id","connection_id") WHERE connection_id is not null;