import { createHash, createHmac, type KeyObject } from "node:crypto";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type postgres from "postgres";
import { directConnection, type ConnectionOptions } from "../connection.ts";
import { connect } from "../database.ts";
import { BACKUP_LOCK } from "../partitions.ts";
import { BackupError } from "./backup-error.ts";
import { copyOut } from "./copy-out.ts";
import { END_OF_ROWS, FIRST_LINE, type BackupHeader, type TableSum } from "./format.ts";
import { listPartitions, listTables, quoted, type TableToSave } from "./list-tables.ts";
import { settle, stepInto } from "./session.ts";
import { createRowSum, type RowSum } from "./sum-rows.ts";

export interface WriteBackup {
  /** As the product's login. */
  readonly connection: ConnectionOptions;
  readonly out: Writable;
  readonly header: Pick<BackupHeader, "id" | "patchbay" | "key">;
  readonly macKey: KeyObject;
}

export interface BackupSummary {
  readonly header: BackupHeader;
  readonly tables: readonly TableSum[];
}

/**
 * Writes all of the product's data as it was at one instant, while the product runs and writes on.
 *
 * One read-only transaction sees that instant. Rows of workspaces are read as the worker, one workspace after the
 * other: not even the owner of the tables sees past row-level security. In memory is one row at a time.
 *
 * @throws BackupError when there is nothing to save
 */
export async function writeBackup(input: WriteBackup): Promise<BackupSummary> {
  const client = connect(directConnection(input.connection), 1);
  const saved: { summary?: BackupSummary; failure?: unknown } = {};
  try {
    await client.begin("isolation level repeatable read read only", async (tx) => {
      await settle(tx, true);
      await tx.unsafe(`select pg_advisory_xact_lock_shared(hashtext('${BACKUP_LOCK}'))`);
      const header = { ...(await describe(tx)), ...input.header };
      const tables: TableSum[] = [];
      const text = Readable.from(inChunks(sealed(textOf(tx, header, tables), input.macKey)), { objectMode: false });
      try {
        await pipeline(text, createGzip({ level: GZIP_LEVEL }), input.out);
      } catch (error) {
        // The server may be in the middle of a table that nobody reads any more.
        void client.end({ timeout: 0 });
        saved.failure = error;
        throw error;
      }
      saved.summary = { header, tables };
    });
  } catch (error) {
    // The ended connection may be told in its place.
    throw saved.failure ?? error;
  } finally {
    await client.end({ timeout: saved.failure === undefined ? 5 : 0 });
  }
  if (saved.summary === undefined) throw new Error("the backup's transaction ended early");
  return saved.summary;
}

/** Sealed bytes do not shrink, but for their hexadecimal form, which any level halves. */
const GZIP_LEVEL = 3;
const CHUNK_BYTES = 64 * 1024;

type Tx = postgres.TransactionSql;

async function describe(tx: Tx): Promise<Omit<BackupHeader, keyof WriteBackup["header"]>> {
  const [now] = await tx.unsafe<{ taken_at: string; server: string; ready: boolean }[]>(`
    select to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as taken_at,
           current_setting('server_version') as server,
           exists (select 1 from pg_namespace where nspname = 'drizzle') as ready`);
  if (now === undefined || !now.ready) throw new BackupError("There is nothing to back up: this database is empty.");
  await stepInto(tx, "patchbay_owner");
  const migrations = await tx.unsafe<{ createdAt: string; hash: string }[]>(
    `select created_at as "createdAt", hash from drizzle.__drizzle_migrations order by created_at`,
  );
  return {
    takenAt: now.taken_at,
    server: now.server,
    migrations: migrations.map(({ createdAt, hash }) => ({ createdAt: Number(createdAt), hash })),
    partitions: await listPartitions(tx),
  };
}

async function* textOf(tx: Tx, header: BackupHeader, tables: TableSum[]): AsyncGenerator<Buffer, void> {
  yield line(FIRST_LINE);
  yield line(JSON.stringify(header));
  await stepInto(tx, "patchbay_worker");
  const workspaces = await tx.unsafe<{ id: string }[]>(
    `select workspace_id as id from queue.workspaces order by created_at, workspace_id`,
  );
  for (const { byWorkspace, ...part } of await listTables(tx)) {
    yield line(JSON.stringify(part));
    const sum = createRowSum();
    for (const workspaceId of byWorkspace ? workspaces.map(({ id }) => id) : [""]) {
      yield* rowsOf(tx, part, workspaceId, sum);
    }
    yield line(END_OF_ROWS);
    tables.push(sum.of(part.table));
  }
  yield line(JSON.stringify({ tables }));
}

async function* rowsOf(tx: Tx, part: Pick<TableToSave, "table" | "columns">, workspaceId: string, sum: RowSum) {
  await stepInto(tx, "patchbay_worker", workspaceId);
  const columns = part.columns.map((column) => quoted(column)).join(", ");
  for await (const lines of copyOut(tx, `copy (select ${columns} from ${quoted(part.table)}) to stdout`)) {
    for (const row of lines) {
      sum.add(row);
      yield row;
    }
  }
}

/** With a last line that vouches for all before it. */
async function* sealed(lines: AsyncIterable<Buffer>, macKey: KeyObject): AsyncGenerator<Buffer, void> {
  const sha256 = createHash("sha256");
  const mac = createHmac("sha256", macKey);
  for await (const each of lines) {
    sha256.update(each);
    mac.update(each);
    yield each;
  }
  yield line(JSON.stringify({ sha256: sha256.digest("hex"), mac: mac.digest("hex") }));
}

async function* inChunks(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const each of lines) {
    held.push(each);
    bytes += each.byteLength;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  yield Buffer.concat(held);
}

function line(text: string): Buffer {
  return Buffer.from(`${text}\n`);
}
