import type postgres from "postgres";
import type { Partition, TablePart } from "./format.ts";

export interface TableToSave extends TablePart {
  /** Its rows belong to workspaces, and show in theirs only. */
  readonly byWorkspace: boolean;
}

type Tx = Pick<postgres.TransactionSql, "unsafe">;

/** What a backup leaves out, each with its reason. Schema `pgboss` holds chores by the clock, which every start enters. */
export const NOT_SAVED: ReadonlySet<string> = new Set([
  // Which processes run, and which keys each of them holds.
  "public.vault_nodes",
  // Which backups this database came from: told by the restore itself.
  "queue.restores",
]);

/** Every table of the product, parents before those that refer to them. */
export async function listTables(tx: Tx): Promise<readonly TableToSave[]> {
  const rows = await tx.unsafe<{ name: string; columns: string[]; parents: string[]; secured: boolean }[]>(`
    select format('%s.%s', n.nspname, c.relname) as name, c.relrowsecurity as secured,
           array(select a.attname::text from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
           array(select format('%s.%s', pn.nspname, pc.relname) from pg_constraint f
                 join pg_class pc on pc.oid = f.confrelid join pg_namespace pn on pn.oid = pc.relnamespace
                 where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid) as parents
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'queue') and c.relkind in ('r', 'p') and not c.relispartition
      and pg_get_userbyid(c.relowner) like 'patchbay\\_%'
    order by 1`);
  return parentsFirst(rows.filter(({ name }) => !NOT_SAVED.has(name))).map(({ name, columns, secured }) => ({
    table: name,
    columns,
    byWorkspace: secured,
  }));
}

/** Parts of partitioned tables. The session's time zone must be UTC. */
export async function listPartitions(tx: Tx): Promise<readonly Partition[]> {
  return tx.unsafe<(Partition & postgres.Row)[]>(`
    select c.relname as name, format('%s.%s', n.nspname, p.relname) as parent, b[1] as "from", b[2] as "to"
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    join pg_namespace n on n.oid = p.relnamespace,
    regexp_match(pg_get_expr(c.relpartbound, c.oid), '^FOR VALUES FROM \\(''(.*)''\\) TO \\(''(.*)''\\)$') b
    where n.nspname in ('public', 'queue') and c.relispartition and c.relkind in ('r', 'p') order by 1`);
}

/** A table's name for a statement. */
export function quoted(table: string): string {
  return table
    .split(".")
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(".");
}

function parentsFirst<Row extends { readonly name: string; readonly parents: readonly string[] }>(
  rows: readonly Row[],
): readonly Row[] {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const sorted = new Set<Row>();
  const place = (row: Row, above: readonly string[]) => {
    if (above.includes(row.name)) throw new Error(`tables refer to each other in a circle: ${above.join(", ")}`);
    for (const parent of row.parents) {
      const found = byName.get(parent);
      if (found !== undefined) place(found, [...above, row.name]);
    }
    sorted.add(row);
  };
  for (const row of rows) place(row, []);
  return [...sorted];
}
