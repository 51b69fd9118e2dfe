-- Isolation: every table with a workspace is invisible outside its workspace, for every role, the owner included.
-- Runs as patchbay_owner. The roles exist already (packages/backend/src/platform/db/roles.ts).

CREATE SCHEMA app;
--> statement-breakpoint
GRANT USAGE ON SCHEMA app, queue, public TO patchbay_app, patchbay_worker, patchbay_ingest;
--> statement-breakpoint

-- The workspace of this transaction. Loud when absent: a forgotten context must not look like an empty table.
-- After COMMIT the setting of a pooled connection is '' rather than NULL; both mean absent.
CREATE FUNCTION app.current_workspace() RETURNS uuid LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE workspace text := nullif(current_setting('app.workspace_id', true), '');
BEGIN
  IF workspace IS NULL THEN
    RAISE EXCEPTION 'no workspace in this transaction' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN workspace::uuid;
END $$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.current_workspace() TO patchbay_app, patchbay_worker, patchbay_ingest;
--> statement-breakpoint

ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace ON workspaces TO patchbay_app, patchbay_worker
  USING (id = (SELECT app.current_workspace())) WITH CHECK (id = (SELECT app.current_workspace()));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON workspaces TO patchbay_app, patchbay_worker;
--> statement-breakpoint

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'api_keys', 'tenants', 'provider_apps', 'idempotency_keys',
    'workspace_keys', 'data_keys',
    'grants', 'orphan_token_pairs', 'connections',
    'records', 'change_counters', 'record_quarantine',
    'events', 'event_heads',
    'connect_sessions', 'authorizations',
    'sources', 'inbox', 'inbox_outcomes', 'inbox_dedupe', 'dirty_marks',
    'runs', 'sync_cursors', 'subscriptions', 'privacy_requests',
    'endpoints', 'endpoint_secrets', 'deliveries', 'attempts'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY workspace ON %I TO patchbay_app, patchbay_worker '
      'USING (workspace_id = (SELECT app.current_workspace())) '
      'WITH CHECK (workspace_id = (SELECT app.current_workspace()))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO patchbay_app, patchbay_worker', name);
  END LOOP;
END $$;
--> statement-breakpoint

-- What was received is never rewritten: no UPDATE, no DELETE, for anyone. Retention drops whole partitions.
REVOKE UPDATE, DELETE ON inbox FROM patchbay_app, patchbay_worker;
--> statement-breakpoint
-- One batch mixes workspaces, so the ingest role may add rows of any; it can read none.
CREATE POLICY append ON inbox FOR INSERT TO patchbay_ingest WITH CHECK (true);
--> statement-breakpoint
GRANT INSERT ON inbox TO patchbay_ingest;
--> statement-breakpoint

-- Holds no workspace's data: one row per version of the key-encryption key.
GRANT SELECT, INSERT ON vault_canaries TO patchbay_app, patchbay_worker;
--> statement-breakpoint

-- Schema queue: ids and times only. The worker works it, the others hand in.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA queue TO patchbay_worker;
--> statement-breakpoint
GRANT INSERT ON queue.workspaces, queue.feed, queue.arrivals, queue.unsequenced TO patchbay_app;
--> statement-breakpoint
GRANT INSERT ON queue.arrivals TO patchbay_ingest;
--> statement-breakpoint
ALTER TABLE queue.lanes SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
--> statement-breakpoint
ALTER TABLE queue.items SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);
--> statement-breakpoint
ALTER TABLE queue.arrivals SET (autovacuum_vacuum_scale_factor = 0.01);
