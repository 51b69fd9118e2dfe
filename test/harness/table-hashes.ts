import type postgres from "postgres";

/** Table → count and hash of all its rows in any order, as a superuser sees them. */
export async function tableHashes(
  sql: postgres.Sql,
  leftOut: readonly string[] = [],
): Promise<Record<string, { rows: number; hash: string }>> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'queue') and c.relkind in ('r', 'p') and not c.relispartition order by 1`;
  const found: Record<string, { rows: number; hash: string }> = {};
  for (const { name } of tables) {
    if (leftOut.includes(name)) continue;
    const [row] = await sql.unsafe<{ rows: number; hash: string }[]>(
      `select count(*)::int as rows, md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as hash from ${name} t`,
    );
    if (row !== undefined) found[name] = { ...row };
  }
  return found;
}
