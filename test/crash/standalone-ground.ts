import { Patchbay as Sdk } from "@patchbay/node";
import { parseConfig, prepareLocalFiles, startPatchbay } from "@patchbay/backend";
import { startSandbox, type SandboxOptions } from "@patchbay/sandbox";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import {
  databaseUrl,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from "../../packages/backend/src/platform/db/embedded/index.ts";
import { LOGIN_ROLE, migrate, type ConnectionOptions } from "../../packages/backend/src/platform/db/index.ts";
import { silentLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { freePort } from "../harness/free-port.ts";
import { waitFor } from "../harness/wait-for.ts";
import { LEASE, type Ground, type sandboxClock } from "./crash-world.ts";

const CLIENT = { clientId: "sandbox-app", clientSecret: "sandbox-secret-0001" };
const TEMPLATE = "patchbay_template";

/** A Postgres of one's own outside of any test runner, which syncs to disk unless told otherwise. */
export interface StandaloneServer {
  readonly server: EmbeddedPostgres;
  /** Ends the server with this signal, as nobody should. */
  crash(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again, unless it runs. */
  revive(): Promise<void>;
  /** A fresh {@link Ground} on a database of its own. */
  ground(options: GroundOptions): Promise<StandaloneGround>;
  stop(): Promise<void>;
}

export interface GroundOptions {
  readonly clock: ReturnType<typeof sandboxClock>;
  readonly endpointOrigin: string;
  readonly sandbox?: SandboxOptions;
  /** On top of the settings that it makes up itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands between the product and what it talks to; by default nothing. */
  readonly through?: Through;
}

/** Addresses in place of the true ones, such as those of proxies. */
export interface Through {
  database?(connection: ConnectionOptions): Promise<ConnectionOptions>;
  provider?(url: string): Promise<string>;
  inbox?(url: string): Promise<string>;
  host?(port: number): Promise<number>;
}

export type StandaloneGround = Ground & { close(): Promise<void> };

export async function startStandaloneServer(options: {
  readonly fsync: boolean;
  readonly dataDir?: string;
}): Promise<StandaloneServer> {
  const folder = options.dataDir ?? (await mkdtemp(join(tmpdir(), "patchbay-crash-")));
  const start = () => startEmbeddedPostgres({ dataDir: folder, log: silentLogger, fsync: options.fsync });
  let server = await start();
  const { adminConnection, loginPassword } = server;
  await asAdmin(adminConnection, (sql) => sql.unsafe(`create database ${TEMPLATE}`));
  await migrate({ connection: { ...adminConnection, database: TEMPLATE }, loginPassword, log: silentLogger });
  let grounds = 0;
  return {
    get server() {
      return server;
    },
    async crash(signal) {
      process.kill(server.pid, signal);
      await waitFor(() => !isAlive(server.pid), { what: "the end of the database server" });
    },
    async revive() {
      if (isAlive(server.pid)) return;
      await server.stop();
      server = await start();
    },
    async ground(given) {
      grounds += 1;
      const admin = { ...adminConnection, database: `crash_${grounds}` };
      await asAdmin(adminConnection, async (sql) => {
        await sql.unsafe(`create database ${admin.database} template ${TEMPLATE} strategy file_copy`);
        // A database's own grants are not copied from its template.
        await sql.unsafe(`grant create, connect, temporary on database ${admin.database} to patchbay_owner`);
        await sql.unsafe(`grant connect on database ${admin.database} to ${LOGIN_ROLE}`);
      });
      return groundOn({ admin, connection: { ...admin, user: LOGIN_ROLE, password: loginPassword } }, given);
    },
    async stop() {
      await server.stop();
      if (options.dataDir === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function groundOn(
  { admin, connection }: { readonly admin: ConnectionOptions; readonly connection: ConnectionOptions },
  options: GroundOptions,
): Promise<StandaloneGround> {
  const { clock, endpointOrigin, through = {} } = options;
  const folder = await mkdtemp(join(tmpdir(), "patchbay-crash-"));
  const sandbox = await startSandbox({ orders: 12, products: 6, customers: 8, ...options.sandbox, clock });
  const provider = (await through.provider?.(sandbox.url)) ?? sandbox.url;
  const port = await freePort();
  const publicUrl = (await through.inbox?.(`http://localhost:${port}`)) ?? `http://localhost:${port}`;
  const direct = {
    ...LEASE,
    PATCHBAY_PORT: String(port),
    PATCHBAY_DATA_DIR: folder,
    DATABASE_URL: databaseUrl(connection),
    PATCHBAY_PUBLIC_URL: publicUrl,
    PATCHBAY_LOG_LEVEL: "silent",
    PATCHBAY_SANDBOX_ORIGINS: provider,
    PATCHBAY_ENDPOINT_ORIGINS: endpointOrigin,
    ...options.env,
  };
  const config = parseConfig(direct, folder);
  await prepareLocalFiles(config);
  // Serves nothing and works nothing: the way to make workspaces beside a process that gets killed.
  const desk = await startPatchbay({ config, roles: { api: false, worker: false } });
  const sql = postgres({ ...admin, max: 4, onnotice: () => {} });
  const reached = (await through.database?.(connection)) ?? connection;
  return {
    url: publicUrl,
    env: { ...direct, DATABASE_URL: databaseUrl(reached) },
    sandbox,
    database: { sql },
    async addWorkspace() {
      const workspace = await desk.createWorkspace({ name: "Crash", mode: "test" });
      const { secret: apiKey } = await desk.createApiKey(workspace.id, { name: "crash" });
      const sdk = new Sdk({ apiKey, baseUrl: `http://localhost:${port}` });
      await sdk.providers.setApp("shopify", { ...CLIENT, baseUrlOverride: `${provider}/_shops/{shop}` });
      await desk.close();
      return { workspace, apiKey, sdk };
    },
    async close() {
      await sql.end({ timeout: 5 });
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Of a child, which stays in the list of processes until it is waited for. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function asAdmin<T>(admin: ConnectionOptions, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres({ ...admin, max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
