import { parseConfig, prepareLocalFiles, type Config } from "@patchbay/backend";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { createVault, openLocalKeys, type Vault } from "../../../packages/backend/src/domain/vault/index.ts";
import { databaseUrl, startEmbeddedPostgres } from "../../../packages/backend/src/platform/db/embedded/index.ts";
import { LOGIN_ROLE, migrate, openDatabase, type Database } from "../../../packages/backend/src/platform/db/index.ts";
import { silentLogger } from "../../../packages/backend/src/platform/observability/index.ts";
import { systemClock } from "../../../packages/backend/src/platform/runtime/index.ts";
import { freePort } from "../../harness/free-port.ts";

/** A Postgres that syncs to disk, with the schema, and the settings of processes that use it. */
export interface Ground {
  readonly folder: string;
  /** Of one process on this ground: pass its port, and what differs. */
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly database: Database;
  readonly vault: Vault;
  /** As the superuser: to look and to clear, never to run the product. */
  readonly sql: postgres.Sql;
  readonly postgresPid: number;
  /** Runs when the ground closes, last added first. */
  onClose(step: () => Promise<unknown>): void;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 8;

export async function openGround(extra: Readonly<Record<string, string>> = {}): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-bench-"));
  const steps: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  let closing: Promise<void> | null = null;
  const close = () => (closing ??= closeAll());
  const closeAll = async () => {
    // One that fails must not leave the others running.
    for (const step of steps.toReversed()) await step().catch((error: unknown) => console.error(error));
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  };
  // Its Postgres is a process of its own and would stay.
  const interrupted = () => void close().finally(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    const server = await startEmbeddedPostgres({ dataDir: join(folder, "postgres"), log: silentLogger });
    steps.push(() => server.stop());
    const { adminConnection: admin, loginPassword } = server;
    await migrate({ connection: admin, loginPassword, log: silentLogger });
    const connection = { ...admin, user: LOGIN_ROLE, password: loginPassword };
    const env = {
      PATCHBAY_PORT: String(await freePort()),
      PATCHBAY_DATA_DIR: folder,
      DATABASE_URL: databaseUrl(connection),
      PATCHBAY_LOG_LEVEL: "error",
      ...extra,
    };
    const config = parseConfig(env, folder);
    await prepareLocalFiles(config);
    const database = openDatabase(connection, CONNECTIONS_MAX);
    steps.push(() => database.close());
    const sql = postgres({ ...admin, max: 2, onnotice: () => {} });
    steps.push(() => sql.end({ timeout: 5 }));
    const { withWorkspace } = database.as("patchbay_app");
    const vault = createVault({ withWorkspace, keys: await openLocalKeys(config.keyFile), clock: systemClock });
    return {
      folder,
      env,
      config,
      database,
      vault,
      sql,
      postgresPid: server.pid,
      onClose: (step) => steps.push(step),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
