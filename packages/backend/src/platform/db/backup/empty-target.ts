import type { connect } from "../database.ts";
import { BackupError } from "./backup-error.ts";
import { quoted } from "./list-tables.ts";
import { MARKER_SCHEMA, isRestoreUnfinished } from "./restore-marker.ts";

type Client = ReturnType<typeof connect>;

/**
 * Makes sure that a restore takes nothing away: no workspace, nobody else's table, no process of ours. What an
 * unfinished restore left may go.
 *
 * @throws BackupError
 */
export async function refuseUnlessEmpty(client: Client): Promise<void> {
  const [state] = await client.unsafe<{ foreign: string | null; ours: boolean; running: number }[]>(`
    select (select format('%s.%s', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
              and pg_get_userbyid(c.relowner) not like 'patchbay\\_%' order by 1 limit 1) as foreign,
           exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where n.nspname = 'queue' and c.relname = 'workspaces') as ours,
           (select count(*)::int from pg_stat_activity
            where datname = current_database() and application_name = 'patchbay' and pid <> pg_backend_pid()) as running`);
  if (state === undefined) throw new Error("the database told nothing about itself");
  if (state.running > 0) throw new BackupError("Patchbay is running on this database; stop it first.");
  if (state.foreign !== null) {
    throw new BackupError(`A backup is restored into an empty database; this one holds ${state.foreign}.`);
  }
  if (!state.ours || (await isRestoreUnfinished(client))) return;
  const workspaces = await countWorkspaces(client);
  if (workspaces === 0) return;
  throw new BackupError(
    `A backup is restored into an empty database; this one holds ${workspaces} ${workspaces === 1 ? "workspace" : "workspaces"}. Name another database, or another PATCHBAY_DATA_DIR.`,
  );
}

/** Takes away what an empty installation or an unfinished restore left. As the owner. */
export async function clearTarget(
  client: Client,
  also: { readonly marker: boolean } = { marker: false },
): Promise<void> {
  const tables = await client.unsafe<{ name: string }[]>(`
    select format('%s.%s', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and pg_get_userbyid(c.relowner) like 'patchbay\\_%'`);
  const schemas = ["queue", "app", "drizzle", "pgboss", ...(also.marker ? [MARKER_SCHEMA] : [])];
  await client.begin(async (tx) => {
    for (const { name } of tables) await tx.unsafe(`drop table ${quoted(name)} cascade`);
    for (const schema of schemas) await tx.unsafe(`drop schema if exists ${schema} cascade`);
  });
}

async function countWorkspaces(client: Client): Promise<number> {
  const counted = await client.begin(async (tx) => {
    await tx.unsafe("set local role patchbay_owner");
    return tx.unsafe<{ count: number }[]>("select count(*)::int as count from queue.workspaces");
  });
  return counted[0]?.count ?? 0;
}
