import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type postgres from "postgres";
import { directConnection } from "../connection.ts";
import { connect } from "../database.ts";
import {
  becomeOwner,
  bringUpToDate,
  knownMigrations,
  makePartitions,
  migrateUpTo,
  refusePooler,
  type MigrateOptions,
} from "../migrate.ts";
import { BackupError, BackupFileError } from "./backup-error.ts";
import { copyOut } from "./copy-out.ts";
import { clearTarget, refuseUnlessEmpty } from "./empty-target.ts";
import type { BackupHeader, TablePart, TableSum } from "./format.ts";
import { listTables, quoted } from "./list-tables.ts";
import type { OpenedBackup } from "./open-backup.ts";
import { markUnfinished } from "./restore-marker.ts";
import { settle } from "./session.ts";
import { createRowSum } from "./sum-rows.ts";
import type { BackupSummary } from "./write-backup.ts";

/**
 * Loads a backup into an empty database: the schema as it was then, all rows in one transaction, which is committed only
 * when backup and database are seen to be the same, then the migrations since. Until {@link endRestore} nothing starts
 * on that database.
 *
 * @throws BackupError when the database is not empty, or the backup is of a newer version; BackupFileError when the
 *   backup is not whole, and then the database is empty again
 */
export async function loadBackup(options: MigrateOptions, backup: OpenedBackup): Promise<BackupSummary> {
  const connection = directConnection(options.connection);
  const client = connect(connection, 1);
  try {
    await refusePooler(client);
    await settle(client, false);
    await holdAlone(client);
    await refuseUnlessEmpty(client);
    refuseNewer(backup.header);
    await becomeOwner(client, { ...options, connection });
    await markUnfinished(client);
    await clearTarget(client);
    await migrateUpTo(client, backup.header.migrations.at(-1)?.createdAt ?? 0);
    const tables = await loadRows(client, backup);
    await bringUpToDate(client);
    await client.unsafe("analyze");
    await makePartitions(connection);
    return { header: backup.header, tables };
  } catch (error) {
    if (error instanceof BackupFileError) await clearTarget(client, { marker: true });
    throw error;
  } finally {
    backup.close();
    await client.end({ timeout: 5 });
  }
}

type Client = ReturnType<typeof connect>;
type Tx = postgres.TransactionSql;

/** As a migration would, for as long as it takes: whoever starts meanwhile waits, and then finds what stands there. */
async function holdAlone(client: Client): Promise<void> {
  const [lock] = await client<{ held: boolean }[]>`select pg_try_advisory_lock(hashtext('patchbay migrate')) as held`;
  if (lock?.held !== true) throw new BackupError("Another process is starting on this database, or restoring into it.");
}

/** What the backup's schema went through must be what this version would take it through. */
function refuseNewer({ migrations, patchbay }: BackupHeader): void {
  const known = knownMigrations();
  const same = migrations.every(
    ({ createdAt, hash }, at) => known[at]?.createdAt === createdAt && known[at].hash === hash,
  );
  if (same) return;
  throw new BackupError(
    `This backup was made by Patchbay ${patchbay}, whose schema this version does not know: restore it with that version, then upgrade.`,
  );
}

async function loadRows(client: Client, backup: OpenedBackup): Promise<readonly TableSum[]> {
  const loaded: { sums?: readonly TableSum[] } = {};
  await client.begin(async (tx) => {
    const expected = await listTables(tx);
    const secured = expected.filter(({ byWorkspace }) => byWorkspace);
    // Nobody else is here, and the owner is bound by row-level security as everybody is: COPY would be refused.
    for (const { table } of secured) await tx.unsafe(`alter table ${quoted(table)} no force row level security`);
    await makePartitionsOf(tx, backup.header);
    for await (const { rows, ...part } of backup.parts()) {
      const known = expected.find(({ table }) => table === part.table);
      if (known?.columns.join() !== part.columns.join()) {
        throw new BackupFileError(`The backup does not fit its own schema: ${part.table} has other columns.`);
      }
      await loadPart(tx, part, rows);
    }
    const sums = await backup.verify();
    if (sums.length !== expected.length)
      throw new BackupFileError("The backup does not hold every table of its schema.");
    for (const sum of sums) await compare(tx, expected, sum);
    for (const { table } of secured) await tx.unsafe(`alter table ${quoted(table)} force row level security`);
    loaded.sums = sums;
  });
  return loaded.sums ?? [];
}

async function makePartitionsOf(tx: Tx, { partitions }: BackupHeader): Promise<void> {
  for (const { name, parent, from, to } of partitions) {
    const child = quoted(`${parent.split(".")[0]}.${name}`);
    await tx.unsafe(
      `create table if not exists ${child} partition of ${quoted(parent)} for values from ('${from}') to ('${to}')`,
    );
    await tx.unsafe(`alter table ${child} enable row level security`);
    await tx.unsafe(`alter table ${child} force row level security`);
  }
}

async function loadPart(tx: Tx, { table, columns }: TablePart, rows: AsyncIterable<readonly Buffer[]>): Promise<void> {
  const copy = `copy ${quoted(table)} (${columns.map((column) => quoted(column)).join(", ")}) from stdin`;
  await pipeline(Readable.from(joined(rows), { objectMode: false }), await tx.unsafe(copy).writable());
}

async function* joined(rows: AsyncIterable<readonly Buffer[]>): AsyncGenerator<Buffer, void> {
  for await (const batch of rows) yield Buffer.concat(batch);
}

/** What the table holds now, in whatever order, against what was saved. */
async function compare(tx: Tx, expected: readonly TablePart[], saved: TableSum): Promise<void> {
  const columns = expected.find(({ table }) => table === saved.table)?.columns ?? [];
  const list = columns.map((column) => quoted(column)).join(", ");
  const sum = createRowSum();
  const rows = copyOut(tx, `copy (select ${list} from ${quoted(saved.table)}) to stdout`);
  for await (const lines of rows) for (const row of lines) sum.add(row);
  const found = sum.of(saved.table);
  if (found.rows === saved.rows && found.digest === saved.digest) return;
  throw new Error(`${saved.table} is not as it was saved: ${found.rows} rows of ${saved.rows}`);
}
