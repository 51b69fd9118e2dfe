import { sql, type SQL } from "drizzle-orm";
import { arrayParam } from "./array.ts";
import type { Database, Tx } from "./database.ts";
import { lentProblems } from "./lent-functions.ts";
import { ROLES } from "./roles.ts";
import { POLICY_FUNCTIONS, TENANT_POLICIES, expectedTenantPolicies } from "./tenant-scope.ts";

/** Tables without row-level security, each with its reason. */
const EXEMPT_TABLES: ReadonlySet<string> = new Set([
  // One row per version of the key-encryption key; holds no workspace's data.
  "vault_canaries",
  // One row per running process: which key-encryption keys it holds.
  "vault_nodes",
]);

/**
 * What stands in the way of isolation, in plain sentences; empty when it is in force.
 *
 * Looks at the login's and the roles' flags and memberships, at every table and every child of a partitioned one, at
 * what policies say, at the functions that they call, at views and at functions that run with their owner's rights.
 */
export async function findIsolationProblems(database: Database): Promise<readonly string[]> {
  return database.as("patchbay_worker").withQueue(async (tx) => {
    const rows = await tx.execute<{ problem: string }>(sql`
      with roles as (
        select oid, rolname, rolsuper, rolbypassrls, rolinherit from pg_roles
        where rolname = any(${arrayParam([...ROLES], "text")}) or rolname = session_user
      ),
      tables as (
        select c.oid, c.relname, c.relispartition, c.relrowsecurity, c.relforcerowsecurity,
               exists (select 1 from pg_policy p where p.polrelid = c.oid) as has_policy,
               exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polname = 'workspace') as has_workspace,
               pg_get_userbyid(c.relowner) as owner
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p')
      )
      select format('role %s is a superuser', rolname) as problem from roles where rolsuper
      union all select format('role %s has BYPASSRLS', rolname) from roles where rolbypassrls
      union all select format('role %s inherits the rights of others', rolname) from roles where rolinherit
      union all
        select format('role %s is a member of %s', member.rolname, granted.rolname)
        from pg_auth_members m join roles member on member.oid = m.member join pg_roles granted on granted.oid = m.roleid
        where member.rolname <> session_user or not granted.rolname = any(${arrayParam([...ROLES], "text")})
      union all
        select format('table %s does not enforce row-level security', relname) from tables
        where not (relrowsecurity and relforcerowsecurity) and not relname = any(${arrayParam([...EXEMPT_TABLES], "text")})
      union all
        select format('table %s has no policy', relname) from tables
        where not relispartition and not has_workspace and not relname = any(${arrayParam([...EXEMPT_TABLES], "text")})
      union all
        select format('policy %s of table %s does not keep to the workspace', p.polname, c.relname)
        from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and p.polpermissive and not (c.relname = 'inbox' and p.polname = 'append' and p.polcmd = 'a')
          and (${keepsToWorkspace(sql`p.polqual`)} and ${keepsToWorkspace(sql`p.polwithcheck`)}) is not true
      union all select format('partition %s has a policy of its own', relname) from tables where relispartition and has_policy
      union all select format('table %s belongs to %s', relname, owner) from tables where owner <> 'patchbay_owner'
      union all
        select format('view %s runs with the rights of its owner', c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'app', 'queue')
          and (c.relkind = 'm' or (c.relkind = 'v' and not coalesce(c.reloptions::text like '%security_invoker=true%', false)))`);
    return [
      ...rows.map((row) => row.problem),
      ...(await tenantProblems(tx)),
      ...(await functionProblems(tx)),
      ...(await lentProblems(tx)),
    ];
  });
}

async function tenantProblems(tx: Tx): Promise<readonly string[]> {
  const tables = await tx.execute<{ name: string; has_tenant: boolean; policies: string[] }>(TENANT_POLICIES);
  return tables
    .filter(({ name, has_tenant, policies }) => {
      const expected = expectedTenantPolicies(name, has_tenant);
      return expected.length !== policies.length || expected.some((each, index) => each !== policies[index]);
    })
    .map(({ name }) => `table ${name} does not keep to the tenant where a transaction has one`);
}

async function functionProblems(tx: Tx): Promise<readonly string[]> {
  const rows = await tx.execute<{ name: string; source: string }>(sql`
    select p.proname as name, p.prosrc as source from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'app'`);
  const sources = new Map(rows.map(({ name, source }) => [name, source.replaceAll(/\s+/g, " ").trim()]));
  return Object.entries(POLICY_FUNCTIONS)
    .filter(([name, source]) => sources.get(name) !== source)
    .map(([name]) => `function app.${name} is not the one that policies are meant to call`);
}

/** Whether an expression of a policy compares the row's workspace with the transaction's and does nothing else. */
function keepsToWorkspace(expression: SQL): SQL {
  return sql`pg_get_expr(${expression}, p.polrelid) ~ '^\\((workspace_id|id) = \\( SELECT app\\.current_workspace\\(\\) AS current_workspace\\)\\)$'`;
}
