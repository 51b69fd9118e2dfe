-- Erasing a tenant: one row per erasure, which is the work's progress and the receipt that stays. Ids, counts, times.

CREATE TABLE erasures (
	workspace_id uuid NOT NULL,
	id uuid NOT NULL,
	tenant_uid uuid NOT NULL,
	status text NOT NULL,
	requested_at timestamp with time zone NOT NULL,
	shredded_at timestamp with time zone NOT NULL,
	completed_at timestamp with time zone,
	keys_destroyed integer NOT NULL,
	rows_removed jsonb DEFAULT '{}'::jsonb NOT NULL,
	open_grants uuid[] DEFAULT '{}' NOT NULL,
	grants_destroyed integer DEFAULT 0 NOT NULL,
	grants_shared integer DEFAULT 0 NOT NULL,
	grants_untold integer DEFAULT 0 NOT NULL,
	sources uuid[] DEFAULT '{}' NOT NULL,
	key_versions text[] NOT NULL,
	raw_until timestamp with time zone NOT NULL,
	backup_retention_days integer,
	CONSTRAINT erasures_workspace_id_id_pk PRIMARY KEY (workspace_id, id)
);
--> statement-breakpoint
CREATE UNIQUE INDEX erasures_tenant ON erasures (workspace_id, tenant_uid);
--> statement-breakpoint
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace ON erasures TO patchbay_app, patchbay_worker
	USING (workspace_id = (SELECT app.current_workspace()))
	WITH CHECK (workspace_id = (SELECT app.current_workspace()));
--> statement-breakpoint
-- Asked for by the API, worked by the worker, never deleted.
GRANT SELECT, INSERT ON erasures TO patchbay_app;
--> statement-breakpoint
GRANT SELECT, UPDATE ON erasures TO patchbay_worker;
--> statement-breakpoint

-- By which a tenant's rows are found in tables that other tenants fill; the second also serves the foreign key.
CREATE INDEX events_tenant ON events (workspace_id, tenant_uid, id);
--> statement-breakpoint
CREATE INDEX deliveries_by_event ON deliveries (workspace_id, event_id);
--> statement-breakpoint
CREATE INDEX inbox_outcomes_tenant ON inbox_outcomes (workspace_id, tenant_uid) WHERE tenant_uid IS NOT NULL;
--> statement-breakpoint
CREATE INDEX connections_tenant ON connections (workspace_id, tenant_uid, id);
