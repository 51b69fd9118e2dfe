-- Which secrets sign a delivery: all that live, or, for a test before the former ones end, the newest alone.
ALTER TABLE deliveries ADD COLUMN sign_with text NOT NULL DEFAULT 'all'
  CONSTRAINT deliveries_sign_with CHECK (sign_with IN ('all', 'newest'));
--> statement-breakpoint

-- Retention: up to which position deliveries that arrived may be forgotten, and where answers are still kept.
ALTER TABLE endpoints ADD COLUMN forgotten_position bigint NOT NULL DEFAULT 0;
--> statement-breakpoint
CREATE INDEX attempts_with_answer ON attempts (workspace_id, id) WHERE response_body IS NOT NULL;
--> statement-breakpoint

-- Each role may do what its code does and no more. What was told, tried or answered is rewritten by nobody; the app role
-- deletes none of it.
REVOKE UPDATE, DELETE ON events FROM patchbay_app;
--> statement-breakpoint
REVOKE UPDATE ON events FROM patchbay_worker;
--> statement-breakpoint
-- The sequencer's, and those that a rotation of keys seals anew.
GRANT UPDATE (position, body, body_key_id) ON events TO patchbay_worker;
--> statement-breakpoint
REVOKE UPDATE, DELETE ON event_heads FROM patchbay_app, patchbay_worker;
--> statement-breakpoint
-- Locking a row needs a column that one may change; this one the policy keeps as it is.
GRANT UPDATE (workspace_id) ON event_heads TO patchbay_app;
--> statement-breakpoint
GRANT UPDATE (epoch, position) ON event_heads TO patchbay_worker;
--> statement-breakpoint
REVOKE UPDATE, DELETE ON endpoints FROM patchbay_app;
--> statement-breakpoint
GRANT UPDATE (
  url, description, types, models, tenant_uids, providers, payload, rate_per_second, max_in_flight, delivery_order,
  status, disabled_reason, consecutive_failures, failing_since, open_until, updated_at, deleted_at
) ON endpoints TO patchbay_app;
--> statement-breakpoint
REVOKE INSERT, UPDATE ON endpoints FROM patchbay_worker;
--> statement-breakpoint
GRANT UPDATE (
  tenant_uids, status, disabled_reason, consecutive_failures, failing_since, last_success_at, open_until, updated_at,
  forgotten_position
) ON endpoints TO patchbay_worker;
--> statement-breakpoint
REVOKE UPDATE ON endpoint_secrets FROM patchbay_app;
--> statement-breakpoint
GRANT UPDATE (expires_at) ON endpoint_secrets TO patchbay_app;
--> statement-breakpoint
REVOKE INSERT, UPDATE ON endpoint_secrets FROM patchbay_worker;
--> statement-breakpoint
GRANT UPDATE (secret) ON endpoint_secrets TO patchbay_worker;
--> statement-breakpoint
REVOKE UPDATE, DELETE ON deliveries FROM patchbay_app;
--> statement-breakpoint
GRANT UPDATE (status, next_attempt_at, finished_at, schedule_offset, replay_id) ON deliveries TO patchbay_app;
--> statement-breakpoint
REVOKE UPDATE ON deliveries FROM patchbay_worker;
--> statement-breakpoint
GRANT UPDATE (status, attempts, next_attempt_at, finished_at, schedule_offset, replay_id) ON deliveries TO patchbay_worker;
--> statement-breakpoint
REVOKE INSERT, UPDATE, DELETE ON attempts FROM patchbay_app;
--> statement-breakpoint
REVOKE UPDATE ON attempts FROM patchbay_worker;
--> statement-breakpoint
GRANT UPDATE (response_body) ON attempts TO patchbay_worker;
--> statement-breakpoint
REVOKE UPDATE ON delivery_replays FROM patchbay_app, patchbay_worker;
--> statement-breakpoint
GRANT UPDATE (status, finished_at) ON delivery_replays TO patchbay_app;
--> statement-breakpoint
GRANT UPDATE (status, finished_at, position, replayed) ON delivery_replays TO patchbay_worker;
