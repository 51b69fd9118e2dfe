-- How a grant lets us in: the connector's auth method, and whose credential it is where a tenant handed it over.
ALTER TABLE grants ADD COLUMN auth_method text NOT NULL DEFAULT 'oauth2';
--> statement-breakpoint
ALTER TABLE grants ADD COLUMN owner_tenant_uid uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
--> statement-breakpoint
DROP INDEX grants_account;
--> statement-breakpoint
CREATE UNIQUE INDEX grants_account
  ON grants (workspace_id, provider_app_id, account_id, mode, auth_method, owner_tenant_uid) WHERE state <> 'ended';
