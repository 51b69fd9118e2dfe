import { sql, type SQL } from "drizzle-orm";

/**
 * What a transaction with a tenant scope (`RoleDatabase.withTenant`) may do with a table.
 *
 * - `own`: rows whose `tenant_uid` is the tenant's. Every table with that column.
 * - `closed`: nothing. Every other table, unless it is listed below.
 */
export type TenantScope = "own" | "closed" | "open" | "self" | "read" | "connection" | "grant_id" | "grant";

/** Tables without a `tenant_uid` that a connect session needs, each with its reason. The policies: migration 0008. */
export const TENANT_SCOPES: Readonly<Record<string, TenantScope>> = {
  // The tenant itself; its key is called `uid` there.
  tenants: "self",
  // The host's name and mode stand on every page of the widget.
  workspaces: "read",
  // The one end of a workspace's audit chain, a number and a hash: whoever appends locks it.
  audit_heads: "open",
  // Where and as whom the browser is sent to authorize; its secret is sealed.
  provider_apps: "read",
  // What that app proves itself with where a secret does not do; sealed too.
  provider_app_keys: "read",
  // Locked while an authorization becomes a connection. Seen through the tenant's connections and authorizations:
  // two tenants may share a grant, and then both see it.
  grants: "grant",
  orphan_token_pairs: "grant_id",
  // A disconnect stops what was planned for the connection.
  dirty_marks: "connection",
  sources: "connection",
  subscriptions: "connection",
  sync_cursors: "connection",
};

/** What the restrictive policies of a table must say, as the server prints it: `<policy> <command> <using> <check>`. */
export function expectedTenantPolicies(table: string, hasTenant: boolean): readonly string[] {
  const scope = TENANT_SCOPES[table] ?? (hasTenant ? "own" : "closed");
  if (scope === "open") return [];
  if (scope === "read") {
    return [`tenant_delete d ${WHOLE} -`, `tenant_insert a - ${WHOLE}`, `tenant_update w ${WHOLE} ${WHOLE}`];
  }
  const expression =
    scope === "closed" ? WHOLE : `( CASE WHEN (${WHOLE} OR ${ROWS[scope]}) THEN 1 ELSE NULL::integer END IS NOT NULL)`;
  return [`tenant * ${expression} ${expression}`];
}

const OF_CONNECTIONS =
  "select exists (select from public.connections c where c.workspace_id = $1 and c.%s = $2 and c.tenant_uid = app.current_tenant())";
/** The helpers that policies call, word for word: a changed helper would widen every policy at once. */
export const POLICY_FUNCTIONS: Readonly<Record<string, string>> = {
  current_workspace:
    "DECLARE workspace text := nullif(current_setting('app.workspace_id', true), ''); " +
    "BEGIN IF workspace IS NULL THEN RAISE EXCEPTION 'no workspace in this transaction' " +
    "USING ERRCODE = 'insufficient_privilege'; END IF; RETURN workspace::uuid; END",
  current_tenant: "select nullif(pg_catalog.current_setting('app.tenant_uid', true), '')::pg_catalog.uuid",
  tenant_has_connection: OF_CONNECTIONS.replace("%s", "id"),
  tenant_has_grant:
    `${OF_CONNECTIONS.replace("%s", "grant_id")} or exists (select from public.authorizations a ` +
    "where a.workspace_id = $1 and a.grant_id = $2 and a.tenant_uid = app.current_tenant())",
};

/** Tables with the policies that a tenant scope meets, in the words of {@link expectedTenantPolicies}. */
export const TENANT_POLICIES: SQL = sql`
  select c.relname as name,
         exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_uid' and not a.attisdropped) as has_tenant,
         array(select format('%s %s %s %s', p.polname, p.polcmd, coalesce(regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\\s+', ' ', 'g'), '-'),
                             coalesce(regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), '\\s+', ' ', 'g'), '-'))
               from pg_policy p where p.polrelid = c.oid and not p.polpermissive and p.polroles @> r.both and p.polroles <@ r.both
               order by p.polname) as policies
  from pg_class c join pg_namespace n on n.oid = c.relnamespace,
       (select array_agg(oid) as both from pg_roles where rolname in ('patchbay_app', 'patchbay_worker')) r
  where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and c.relrowsecurity`;

const TENANT = "( SELECT app.current_tenant() AS current_tenant)";
const WHOLE = `(${TENANT} IS NULL)`;
const ROWS = {
  own: `(tenant_uid = ${TENANT})`,
  self: `(uid = ${TENANT})`,
  connection: "app.tenant_has_connection(workspace_id, connection_id)",
  grant: "app.tenant_has_grant(workspace_id, id)",
  grant_id: "app.tenant_has_grant(workspace_id, grant_id)",
} as const;
