-- Serves erasures by its first columns, as before, and lists of one connection's deliveries by all of them.
DROP INDEX inbox_outcomes_tenant;
--> statement-breakpoint
CREATE INDEX inbox_outcomes_tenant ON inbox_outcomes (workspace_id, tenant_uid, connection_id, inbox_id)
  WHERE tenant_uid IS NOT NULL;
