import type { Sql } from "postgres";

/** Table → number of rows and a hash over all of them, of one workspace, or of one tenant of it. */
export type Snapshot = Readonly<Record<string, string>>;

export interface Of {
  readonly workspaceUuid: string;
  readonly tenantUid?: string;
  /** The caller belongs to the tenant: its log holds what the caller tried. */
  readonly withoutAuditLog?: true;
}

/**
 * What a workspace has on disk, in every table that has a workspace.
 *
 * @param sql as the superuser: row-level security must not blind the witness
 */
export async function snapshot(sql: Sql, of: Of): Promise<Snapshot> {
  const column = of.tenantUid === undefined ? "workspace_id" : "tenant_uid";
  const rows: Record<string, string> = {};
  for (const table of await tablesWith(sql, column)) {
    if (of.withoutAuditLog === true && table === "public.audit_entries") continue;
    const wanted = of.tenantUid ?? of.workspaceUuid;
    const [row] = await sql.unsafe<{ count: string; hash: string | null }[]>(
      `select count(*) as count, md5(string_agg(md5(t::text), '' order by md5(t::text))) as hash
       from ${table} t where ${column} = $1`,
      [wanted],
    );
    rows[table] = `${row?.count ?? "?"} ${row?.hash ?? "-"}`;
  }
  return rows;
}

async function tablesWith(sql: Sql, column: string): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select format('%I.%I', c.table_schema, c.table_name) as name
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema in ('public', 'queue') and c.column_name = ${column} and t.table_type = 'BASE TABLE'
    order by 1`;
  return rows.map((row) => row.name);
}
