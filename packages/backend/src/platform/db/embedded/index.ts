import { randomBytes } from "node:crypto";
import postgres from "postgres";
import type { Logger } from "../../observability/index.ts";
import type { ConnectionOptions } from "../connection.ts";
import { chooseAccount } from "./account.ts";
import { prepareBinaries } from "./binaries.ts";
import { prepareCluster } from "./cluster.ts";
import { EmbeddedPostgresError } from "./error.ts";
import { holdFolder, openFolder, readOrMakePassword, type Folder } from "./folder.ts";
import { findPostmaster, stopPostmaster, type Postmaster } from "./postmaster.ts";
import { launchServer } from "./server.ts";
import { socketFolder } from "./socket-folder.ts";

export { EmbeddedPostgresError } from "./error.ts";

export interface EmbeddedOptions {
  /** Holds the cluster, its passwords, log and lock; made when missing. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Also listens on 127.0.0.1 at this port. Without it there is a unix socket only. */
  readonly port?: number;
  /** `false` trades safety for speed; for databases that are thrown away. */
  readonly fsync?: boolean;
}

export interface EmbeddedPostgres {
  /** The superuser, for migrations only; the product itself never runs as it. */
  readonly adminConnection: ConnectionOptions;
  /** The same as a URL, for tools: `postgres://…@localhost/patchbay?host=/socket/folder`. */
  readonly adminUrl: string;
  /** Made on first start, for the login that `migrate` creates. */
  readonly loginPassword: string;
  readonly socketDir: string;
  readonly pid: number;
  /** The server was already running: its previous owner died without stopping it. */
  readonly adopted: boolean;
  /** Ends the server, data kept. Open transactions are rolled back. A second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * Runs PostgreSQL from the npm package's binaries on `dataDir`: makes the cluster on first use, adopts a server that a
 * killed owner left behind, else starts one. The server outlives a kill -9 of this process on purpose: it finishes
 * its work and the next start takes it over.
 *
 * @throws EmbeddedPostgresError with one sentence for people.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const folder = await openFolder(options.dataDir);
  const lock = holdFolder(folder);
  try {
    const password = await readOrMakePassword(folder.superuserPassword, folder, newPassword);
    const loginPassword = await readOrMakePassword(folder.loginPassword, folder, newPassword);
    const adopted = await findPostmaster(folder.cluster);
    const server = adopted ?? (await startServer(folder, password, options));
    const adminConnection = connectionTo(server, password);
    await ensureDatabase(adminConnection);
    const { pid, socketDir } = server;
    options.log.info({ pid, socketDir, adopted: adopted !== null }, "embedded postgres is ready");

    let stopping: Promise<void> | null = null;
    const end = async () => {
      await stopPostmaster(pid, folder.cluster);
      lock.release();
      options.log.info({ pid }, "embedded postgres has stopped");
    };
    return {
      adminConnection,
      adminUrl: databaseUrl(adminConnection),
      loginPassword,
      socketDir,
      pid,
      adopted: adopted !== null,
      stop: () => (stopping ??= end()),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * The server of a data folder that another process owns and runs, for a look at its database; `null` when none runs.
 * Whoever uses it must not stop it.
 */
export async function findEmbeddedPostgres(
  dataDir: string,
): Promise<Pick<EmbeddedPostgres, "adminConnection" | "loginPassword"> | null> {
  const folder = await openFolder(dataDir);
  const server = await findPostmaster(folder.cluster).catch(() => null);
  if (server === null) return null;
  const password = await readOrMakePassword(folder.superuserPassword, folder, newPassword);
  const loginPassword = await readOrMakePassword(folder.loginPassword, folder, newPassword);
  return { adminConnection: connectionTo(server, password), loginPassword };
}

/** The URL form of a connection; a unix socket's folder goes in `?host=`, as libpq, `pg` and `parseDatabaseUrl` read it. */
export function databaseUrl(connection: ConnectionOptions): string {
  const login = `${encodeURIComponent(connection.user)}:${encodeURIComponent(connection.password)}`;
  const database = encodeURIComponent(connection.database);
  if (!connection.host.startsWith("/")) {
    return `postgres://${login}@${connection.host}:${connection.port}/${database}`;
  }
  return `postgres://${login}@localhost:${connection.port}/${database}?host=${encodeURIComponent(connection.host)}`;
}

const DATABASE = "patchbay";
const DEFAULT_PORT = 5432;
const CONNECT_TIMEOUT_SECONDS = 30;

const newPassword = () => randomBytes(24).toString("base64url");

async function startServer(folder: Folder, password: string, options: EmbeddedOptions): Promise<Postmaster> {
  const packaged = await prepareBinaries(folder);
  const { account, binaries } = await chooseAccount(packaged, folder);
  const fsync = options.fsync ?? true;
  await prepareCluster({ folder, account, binaries, password, fsync, log: options.log });
  const port = options.port ?? DEFAULT_PORT;
  const socketDir = await socketFolder(folder, account, port, options.log);
  return launchServer({ folder, account, binaries, socketDir, port, tcp: options.port !== undefined, fsync });
}

function connectionTo(server: Postmaster, password: string): ConnectionOptions {
  return { host: server.socketDir, port: server.port, database: DATABASE, user: "postgres", password };
}

async function ensureDatabase(connection: ConnectionOptions): Promise<void> {
  const sql = postgres({
    ...connection,
    database: "postgres",
    max: 1,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    onnotice: () => {},
  });
  try {
    const found = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (found.length === 0) await sql.unsafe(`create database ${DATABASE}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EmbeddedPostgresError(`The embedded database runs but refuses to work: ${reason}`, { cause: error });
  } finally {
    await sql.end({ timeout: 5 });
  }
}
