import type { Sql } from "postgres";

/** Tables that may name an erased tenant, each with its reason. Everything else must not. */
const MAY_NAME: ReadonlySet<string> = new Set([
  // The tombstone: a random id and times.
  "public.tenants",
  // The receipt.
  "public.erasures",
  // Append-only by right and trigger; ids, codes and times.
  "public.audit_entries",
  // What arrived is append-only until its retention ends: bodies whose keys are destroyed, at an address that is gone.
  "public.inbox",
]);

interface Column {
  readonly table: string;
  readonly column: string;
}

/**
 * Where a tenant or one of its connections, grants or sources still stands, by table and column. Columns are taken from
 * the catalog, whatever they are called: every uuid, and every array of them, is looked at.
 *
 * @param sql as the superuser: row-level security must not blind the witness
 */
export async function rowsNaming(sql: Sql, ids: readonly string[]): Promise<readonly string[]> {
  const columns = await sql<Column[]>`
    select format('%I.%I', n.nspname, c.relname) as table, format('%I', a.attname) as column
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'queue') and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped and a.atttypid in ('uuid'::regtype, 'uuid[]'::regtype)
    order by 1, 2`;
  const found: string[] = [];
  for (const { table, column } of columns.filter((each) => !MAY_NAME.has(each.table))) {
    const [row] = await sql.unsafe<{ count: number }[]>(
      `select count(*)::int from ${table} where ${column}::text ~ $1`,
      [ids.join("|")],
    );
    if (row !== undefined && row.count > 0) found.push(`${table}.${column}: ${row.count}`);
  }
  return found;
}

/** How many columns {@link rowsNaming} looks at, so that a test can tell that it looks at all. */
export async function tablesWithTenant(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select distinct format('%I.%I', table_schema, table_name) as name from information_schema.columns
    where table_schema in ('public', 'queue') and column_name ~ 'tenant_uid' order by 1`;
  return rows.map((row) => row.name);
}

/** Tables of all schemas in whose rows a text stands, in clear, hex or base64. */
export async function tablesHolding(sql: Sql, text: string): Promise<readonly string[]> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and c.relkind in ('r', 'p')
      and not c.relispartition order by 1`;
  const bytes = Buffer.from(text);
  const forms = [text, bytes.toString("hex"), bytes.toString("base64").replace(/.{2}=*$/, "")];
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await sql.unsafe(
      `select 1 from ${name} t where ${forms.map((_, at) => `position($${at + 1} in t::text) > 0`).join(" or ")} limit 1`,
      forms,
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}
