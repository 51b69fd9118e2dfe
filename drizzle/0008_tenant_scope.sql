-- A second, narrower scope inside the workspace: what a browser with a connect session starts sees its tenant alone.
-- A transaction without a tenant sees the workspace as before. Who has what, and why: platform/db/tenant-scope.ts.
-- Runs as patchbay_owner, after the tables of all earlier migrations. A later table brings its own policy along;
-- the start refuses a database where one is missing.

-- The tenant of this transaction; NULL: the whole workspace. Short enough for the planner to inline.
CREATE FUNCTION app.current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS 'select nullif(pg_catalog.current_setting(''app.tenant_uid'', true), '''')::pg_catalog.uuid';
--> statement-breakpoint

-- Whether a connection is of this transaction's tenant. With the caller's rights: row-level security holds inside too.
CREATE FUNCTION app.tenant_has_connection(workspace uuid, connection uuid) RETURNS boolean LANGUAGE sql STABLE
  AS 'select exists (select from public.connections c where c.workspace_id = $1 and c.id = $2 and c.tenant_uid = app.current_tenant())';
--> statement-breakpoint

-- Whether a connection or an authorization of this transaction's tenant hangs on a grant. Tenants may share one.
CREATE FUNCTION app.tenant_has_grant(workspace uuid, grant_id uuid) RETURNS boolean LANGUAGE sql STABLE
  AS 'select exists (select from public.connections c where c.workspace_id = $1 and c.grant_id = $2 and c.tenant_uid = app.current_tenant()) or exists (select from public.authorizations a where a.workspace_id = $1 and a.grant_id = $2 and a.tenant_uid = app.current_tenant())';
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.current_tenant(), app.tenant_has_connection(uuid, uuid), app.tenant_has_grant(uuid, uuid)
  TO patchbay_app, patchbay_worker;
--> statement-breakpoint

-- `CASE … IS NOT NULL` says no more than the condition inside, but the planner takes it for true of nearly all rows. The
-- plain OR passes for a strong filter, which made a page of records sort a whole tenant in place of reading an index.
-- RESTRICTIVE: it takes rows away from what the policy `workspace` shows, and can give none.
DO $$
DECLARE
  whole text := '(SELECT app.current_tenant()) IS NULL';
  entry record;
  scope text;
BEGIN
  FOR entry IN
    SELECT c.relname AS name,
           EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_uid' AND NOT a.attisdropped) AS has_tenant
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relrowsecurity
    ORDER BY c.relname
  LOOP
    CONTINUE WHEN entry.name = 'audit_heads';
    IF entry.name IN ('workspaces', 'provider_apps', 'provider_app_keys') THEN
      EXECUTE format('CREATE POLICY tenant_insert ON %I AS RESTRICTIVE FOR INSERT TO patchbay_app, patchbay_worker WITH CHECK (%s)', entry.name, whole);
      EXECUTE format('CREATE POLICY tenant_update ON %I AS RESTRICTIVE FOR UPDATE TO patchbay_app, patchbay_worker USING (%s) WITH CHECK (%s)', entry.name, whole, whole);
      EXECUTE format('CREATE POLICY tenant_delete ON %I AS RESTRICTIVE FOR DELETE TO patchbay_app, patchbay_worker USING (%s)', entry.name, whole);
      CONTINUE;
    END IF;
    scope := CASE
      WHEN entry.name = 'tenants' THEN ' OR uid = (SELECT app.current_tenant())'
      WHEN entry.has_tenant THEN ' OR tenant_uid = (SELECT app.current_tenant())'
      WHEN entry.name IN ('dirty_marks', 'sources', 'subscriptions', 'sync_cursors')
        THEN ' OR app.tenant_has_connection(workspace_id, connection_id)'
      WHEN entry.name = 'grants' THEN ' OR app.tenant_has_grant(workspace_id, id)'
      WHEN entry.name = 'orphan_token_pairs' THEN ' OR app.tenant_has_grant(workspace_id, grant_id)'
      ELSE ''
    END;
    scope := CASE scope WHEN '' THEN whole ELSE '(CASE WHEN ' || whole || scope || ' THEN 1 END) IS NOT NULL' END;
    EXECUTE format('CREATE POLICY tenant ON %I AS RESTRICTIVE TO patchbay_app, patchbay_worker USING (%s) WITH CHECK (%s)',
      entry.name, scope, scope);
  END LOOP;
END $$;
