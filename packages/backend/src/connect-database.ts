import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { findEmbeddedPostgres, startEmbeddedPostgres } from "./platform/db/embedded/index.ts";
import {
  LOGIN_ROLE,
  migrate,
  openDatabase,
  POOLER_ADVICE,
  type ConnectionOptions,
  type Database,
} from "./platform/db/index.ts";
import type { Logger } from "./platform/observability/index.ts";
import { randomToken } from "./platform/runtime/index.ts";
import { PatchbayStartError } from "./start-error.ts";

export interface ConnectedDatabase {
  readonly database: Database;
  /** As the product's own login. */
  readonly connection: ConnectionOptions;
  /** Closes the pool, and ends the embedded server if there is one. */
  readonly close: () => Promise<void>;
}

/**
 * The embedded Postgres of the data folder, or the one that `DATABASE_URL` names, brought to this version. The
 * product then works as `patchbay_login`, whatever login the URL has.
 */
export async function connectDatabase(config: Config, log: Logger): Promise<ConnectedDatabase> {
  return config.database === null ? connectEmbedded(config, log) : connectGiven(config.database, config, log);
}

/** A database that was reached, and nothing done to it yet. */
export interface ReachedDatabase {
  /** As it was given: may make roles and tables. */
  readonly admin: ConnectionOptions;
  /** As the product's own login, once there is one. */
  readonly connection: ConnectionOptions;
  /** Ends the embedded server, if it was started for this. */
  readonly close: () => Promise<void>;
}

/**
 * For backup and restore, which must find a database as it is: no migration. `borrow` also takes the embedded server of
 * a running product.
 */
export async function reachDatabase(
  config: Config,
  log: Logger,
  { borrow }: { readonly borrow: boolean },
): Promise<ReachedDatabase> {
  if (config.database !== null) {
    const admin = config.database;
    await knock(admin);
    const password = admin.user === LOGIN_ROLE ? admin.password : await keptPassword(config.dataDir);
    return { admin, connection: asLogin(admin, password), close: async () => {} };
  }
  const running = borrow ? await findEmbeddedPostgres(config.dataDir) : null;
  if (running !== null) return reached(running, async () => {});
  const started = await startEmbeddedPostgres({ dataDir: config.dataDir, log });
  return reached(started, () => started.stop());
}

function reached(
  { adminConnection, loginPassword }: { readonly adminConnection: ConnectionOptions; readonly loginPassword: string },
  close: () => Promise<void>,
): ReachedDatabase {
  return { admin: adminConnection, connection: asLogin(adminConnection, loginPassword), close };
}

/** For a single command: uses the embedded server that a running product owns, else does as {@link connectDatabase}. */
export async function borrowDatabase(config: Config, log: Logger): Promise<ConnectedDatabase> {
  const running = config.database === null ? await findEmbeddedPostgres(config.dataDir) : null;
  if (running === null) return connectDatabase(config, log);
  return open(running.adminConnection, running.loginPassword, config, log, async () => {});
}

async function connectEmbedded(config: Config, log: Logger): Promise<ConnectedDatabase> {
  const server = await startEmbeddedPostgres({ dataDir: config.dataDir, log });
  try {
    return await open(server.adminConnection, server.loginPassword, config, log, () => server.stop());
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function connectGiven(given: ConnectionOptions, config: Config, log: Logger): Promise<ConnectedDatabase> {
  const password = given.user === LOGIN_ROLE ? given.password : await keptPassword(config.dataDir);
  try {
    return await open(given, password, config, log, async () => {});
  } catch (error) {
    throw isConnectionFailure(error) ? notConnected(given, error) : error;
  }
}

/** One trivial statement: whatever else would fail on the way there is told in one sentence. */
async function knock(given: ConnectionOptions): Promise<void> {
  const database = openDatabase(given, 1);
  try {
    await database.ping();
  } catch (error) {
    throw isConnectionFailure(error) ? notConnected(given, error) : error;
  } finally {
    await database.close();
  }
}

function notConnected(given: ConnectionOptions, error: Error): PatchbayStartError {
  const where = `DATABASE_URL: no connection to ${given.host}:${given.port}/${given.database} as ${given.user} (${error.message}).`;
  const advice =
    error.message.includes("startup parameter") && given.direct === undefined
      ? POOLER_ADVICE
      : "Check that the server runs and that host, database, user and password are right.";
  return new PatchbayStartError(`${where} ${advice}`, { cause: error });
}

async function open(
  admin: ConnectionOptions,
  loginPassword: string,
  config: Config,
  log: Logger,
  stop: () => Promise<void>,
): Promise<ConnectedDatabase> {
  await migrate({ connection: admin, loginPassword, log });
  const connection = asLogin(admin, loginPassword);
  const database = openDatabase(connection, config.databaseConnectionsMax);
  return {
    database,
    connection,
    async close() {
      await database.close();
      await stop();
    },
  };
}

function asLogin(admin: ConnectionOptions, password: string): ConnectionOptions {
  const login = { user: LOGIN_ROLE, password };
  const { direct } = admin;
  return { ...admin, ...login, ...(direct === undefined ? {} : { direct: { ...direct, ...login } }) };
}

/** The login's password for a database of the operator's, made on first use and kept beside the other secrets. */
async function keptPassword(dataDir: string): Promise<string> {
  const path = join(dataDir, "database-login.password");
  const kept = await readFile(path, "utf8").catch(() => null);
  if (kept !== null) return kept.trim();
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const password = randomToken(24);
  await writeFile(path, password, { mode: 0o400, flag: "wx" });
  return password;
}

/** Class 08 (connection), 28 (authorization), 3D (no such database) of SQLSTATE, or an error of the socket. */
function isConnectionFailure(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return /^(?:08|28|3D)\w+$|^(?:E[A-Z]+|CONNECT_TIMEOUT|CONNECTION_\w+)$/.test(error.code);
}
