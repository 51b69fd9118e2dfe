-- What is wrong with a connection though its credentials work: health, apart from its status.
ALTER TABLE connections ADD COLUMN health_causes text[] NOT NULL DEFAULT '{}';
--> statement-breakpoint
ALTER TABLE connections ADD COLUMN failed_runs integer NOT NULL DEFAULT 0;
--> statement-breakpoint
-- Whether a repair may come back with another account: the host decides, per session.
ALTER TABLE connect_sessions ADD COLUMN allow_account_change boolean NOT NULL DEFAULT false;
--> statement-breakpoint
ALTER TABLE authorizations ADD COLUMN allow_account_change boolean NOT NULL DEFAULT false;
--> statement-breakpoint
-- The host took the credentials over: we neither refresh them nor give them back at the provider.
ALTER TABLE grants ADD COLUMN handed_over_at timestamptz;
