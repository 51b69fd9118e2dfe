import { randomUUID } from "node:crypto";
import type postgres from "postgres";
import { TENANT_SCOPES, type TenantScope } from "../tenant-scope.ts";

/** Everything that stands in some table for one tenant of one workspace. */
export interface Side {
  readonly workspace: string;
  readonly tenant: string;
  readonly connection: string;
  readonly grant: string;
  readonly id: string;
}

/** Two tenants of one workspace, and one of another. */
export interface Sides {
  readonly ours: Side;
  readonly sibling: Side;
  readonly theirs: Side;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly required: boolean }[];
  readonly scope: TenantScope;
  readonly partitioned: boolean;
  readonly children: readonly string[];
  /** A column that a role may change: the workspace's, where it may. Others have the table's only, or none. */
  readonly settable: Readonly<Record<string, string | null>>;
}

/** Tables that hold a workspace's rows, from the catalog: a new one is in the matrix the moment it exists. */
export async function workspaceTables(sql: postgres.Sql | postgres.TransactionSql): Promise<readonly Table[]> {
  const rows = await sql<Omit<Table, "scope">[]>`
    select c.relname as name, c.relkind = 'p' as partitioned,
      (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
                                         'required', a.attnotnull and not a.atthasdef) order by a.attnum)
       from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      array(select i.inhrelid::regclass::text from pg_inherits i where i.inhparent = c.oid order by 1) as children,
      (select json_object_agg(role, (
         select a.attname from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and has_column_privilege(role, c.oid, a.attnum, 'update')
         order by a.attname <> 'workspace_id', a.attnum limit 1
       )) from unnest(array['patchbay_app', 'patchbay_worker']) role) as settable
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and c.relname not in ('vault_canaries', 'vault_nodes')
    order by 1`;
  return rows.map((row) => ({ ...row, scope: TENANT_SCOPES[row.name] ?? (has(row, "tenant_uid") ? "own" : "closed") }));
}

/** A side with fresh ids; a sibling shares the workspace. */
export function aSide(workspace: string = randomUUID()): Side {
  return { workspace, tenant: randomUUID(), connection: randomUUID(), grant: randomUUID(), id: randomUUID() };
}

/** `insert` of a row of `side`, as one statement. */
export function insertOf(table: Table, side: Side, id = side.id): string {
  const values = table.columns
    .filter((column) => column.required || column.name in OWN || column.name === "tenant_uid")
    .map((column) => [quote(column.name), valueOf(table, column, side, id)] as const);
  return `insert into ${quote(table.name)} (${values.map(([name]) => name).join(", ")}) values (${values.map(([, value]) => value).join(", ")})`;
}

/** A condition that only rows of `side` meet. */
export function rowsOf(table: Table, side: Side): string {
  const workspace = `${workspaceColumn(table)} = '${side.workspace}'`;
  switch (table.scope) {
    case "own":
      return `${workspace} and tenant_uid = '${side.tenant}'`;
    case "self":
      return `${workspace} and uid = '${side.tenant}'`;
    case "connection":
      return `${workspace} and connection_id = '${side.connection}'`;
    case "grant":
      return `${workspace} and id = '${side.grant}'`;
    case "grant_id":
      return `${workspace} and grant_id = '${side.grant}'`;
    case "closed":
    case "open":
    case "read":
      return workspace;
  }
}

export function workspaceColumn(table: Pick<Table, "name">): string {
  return table.name === "workspaces" ? "id" : "workspace_id";
}

export function quote(name: string): string {
  return `"${name}"`;
}

const OWN: Readonly<Record<string, (side: Side) => string>> = {
  workspace_id: (side) => side.workspace,
  tenant_uid: (side) => side.tenant,
  connection_id: (side) => side.connection,
  grant_id: (side) => side.grant,
};

function valueOf(table: Table, column: Table["columns"][number], side: Side, id: string): string {
  const own = ownId(table, column.name, side) ?? OWN[column.name]?.(side);
  switch (column.type) {
    case "uuid":
      return `'${own ?? id}'`;
    case "text":
      return `'${own ?? id}'`;
    case "jsonb":
      return `'{}'`;
    case "bytea":
      return `'\\x${id.replaceAll("-", "")}'`;
    case "timestamp with time zone":
      return "now()";
    case "boolean":
      return "false";
    case "smallint":
    case "integer":
    case "bigint":
      return "1";
    case "text[]":
      return "'{}'";
    default:
      throw new Error(`${table.name}.${column.name}: the matrix knows no value of type ${column.type}; add one here`);
  }
}

function ownId(table: Table, column: string, side: Side): string | undefined {
  if (table.name === "workspaces" && column === "id") return side.workspace;
  if (table.name === "tenants" && column === "uid") return side.tenant;
  if (table.name === "connections" && column === "id") return side.connection;
  if (table.name === "grants" && column === "id") return side.grant;
  return undefined;
}

function has(table: Pick<Table, "columns">, column: string): boolean {
  return table.columns.some(({ name }) => name === column);
}
