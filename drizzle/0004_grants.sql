-- How a grant lets us in: the connector's auth method, and whose credential it is where a tenant handed it over.
ALTER TABLE grants ADD COLUMN auth_method text NOT NULL DEFAULT 'oauth2';
--> statement-breakpoint
ALTER TABLE grants ADD COLUMN owner_tenant_uid uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
--> statement-breakpoint
DROP INDEX grants_account;
--> statement-breakpoint
CREATE UNIQUE INDEX grants_account
  ON grants (workspace_id, provider_app_id, account_id, mode, auth_method, owner_tenant_uid) WHERE state <> 'ended';
--> statement-breakpoint

-- What a provider app proves itself with besides its secret: signing keys, of which it publishes the public half, and
-- a client certificate.
ALTER TABLE provider_apps ADD COLUMN client_certificate text;
--> statement-breakpoint
ALTER TABLE provider_apps ADD COLUMN client_certificate_key bytea;
--> statement-breakpoint
CREATE TABLE provider_app_keys (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  provider_app_id uuid NOT NULL,
  algorithm text NOT NULL,
  private_key bytea NOT NULL,
  public_jwk jsonb NOT NULL,
  usable_from timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, id),
  FOREIGN KEY (workspace_id, provider_app_id) REFERENCES provider_apps (workspace_id, id)
);
--> statement-breakpoint
CREATE INDEX provider_app_keys_app ON provider_app_keys (workspace_id, provider_app_id, created_at);
--> statement-breakpoint
ALTER TABLE provider_app_keys ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE provider_app_keys FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace ON provider_app_keys TO patchbay_app, patchbay_worker
  USING (workspace_id = (SELECT app.current_workspace())) WITH CHECK (workspace_id = (SELECT app.current_workspace()));
--> statement-breakpoint
-- Keys are never changed but when what seals them is rotated.
GRANT SELECT, INSERT, UPDATE, DELETE ON provider_app_keys TO patchbay_app;
--> statement-breakpoint
GRANT SELECT, UPDATE ON provider_app_keys TO patchbay_worker;
--> statement-breakpoint

-- What refreshing must remember over crashes.
ALTER TABLE grants ADD COLUMN asked_at timestamp with time zone;
--> statement-breakpoint
ALTER TABLE grants ADD COLUMN failures integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE grants ADD COLUMN death_told_at timestamp with time zone;
--> statement-breakpoint
ALTER TABLE grants ADD COLUMN keep_alive_at timestamp with time zone;
--> statement-breakpoint
ALTER TABLE orphan_token_pairs ADD COLUMN asked_at timestamp with time zone;
--> statement-breakpoint
ALTER TABLE grants NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
UPDATE grants SET keep_alive_at = refresh_expires_at - interval '30 days' WHERE refresh_expires_at IS NOT NULL;
--> statement-breakpoint
ALTER TABLE grants FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE INDEX grants_untold ON grants (workspace_id, dead_since) WHERE state = 'dead' AND death_told_at IS NULL;
--> statement-breakpoint
CREATE INDEX grants_revived ON grants (workspace_id) WHERE state <> 'dead' AND death_told_at IS NOT NULL;
--> statement-breakpoint
CREATE INDEX grants_idle ON grants (workspace_id, keep_alive_at) WHERE state IN ('active', 'uncertain', 'refreshing');
--> statement-breakpoint
-- What each provider app may still ask of its provider's token endpoint, counted over all processes.
CREATE TABLE token_budgets (
	workspace_id uuid NOT NULL,
	provider_app_id uuid NOT NULL,
	paid_until timestamp with time zone NOT NULL,
	blocked_until timestamp with time zone,
	failures integer DEFAULT 0 NOT NULL,
	CONSTRAINT token_budgets_workspace_id_provider_app_id_pk PRIMARY KEY (workspace_id, provider_app_id)
);
--> statement-breakpoint
ALTER TABLE token_budgets ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE token_budgets FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace ON token_budgets TO patchbay_app, patchbay_worker
	USING (workspace_id = (SELECT app.current_workspace()))
	WITH CHECK (workspace_id = (SELECT app.current_workspace()));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON token_budgets TO patchbay_app, patchbay_worker;
--> statement-breakpoint
-- When a key that we replace ourselves is due for its next step, and when a client certificate ends.
ALTER TABLE grants ADD COLUMN rotate_at timestamp with time zone;
--> statement-breakpoint
ALTER TABLE grants ADD COLUMN certificate_ends_at timestamp with time zone;
--> statement-breakpoint
CREATE INDEX grants_rotating ON grants (workspace_id, rotate_at) WHERE rotate_at IS NOT NULL;
--> statement-breakpoint
CREATE INDEX grants_certified ON grants (workspace_id, certificate_ends_at) WHERE certificate_ends_at IS NOT NULL;
