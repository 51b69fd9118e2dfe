import { Patchbay as Sdk } from "@patchbay/node";
import { parseConfig, prepareLocalFiles, startPatchbay } from "@patchbay/backend";
import { startSandbox } from "@patchbay/sandbox";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { databaseUrl, startEmbeddedPostgres } from "../../packages/backend/src/platform/db/embedded/index.ts";
import { silentLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { freePort } from "../harness/free-port.ts";
import { LEASE, type Ground, type sandboxClock } from "./crash-world.ts";

const CLIENT = { clientId: "sandbox-app", clientSecret: "sandbox-secret-0001" };

/** A {@link Ground} outside of any test runner, on a Postgres of its own that syncs to disk. */
export async function standaloneGround(
  clock: ReturnType<typeof sandboxClock>,
  endpointOrigin: string,
): Promise<Ground & { close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-crash-"));
  const server = await startEmbeddedPostgres({ dataDir: join(folder, "postgres"), log: silentLogger });
  const sandbox = await startSandbox({ orders: 40, products: 20, customers: 20, clock });
  const env = {
    ...LEASE,
    PATCHBAY_PORT: String(await freePort()),
    PATCHBAY_DATA_DIR: folder,
    DATABASE_URL: databaseUrl(server.adminConnection),
    PATCHBAY_LOG_LEVEL: "silent",
    PATCHBAY_SANDBOX_ORIGINS: sandbox.url,
    PATCHBAY_ENDPOINT_ORIGINS: endpointOrigin,
  };
  const config = parseConfig(env, folder);
  await prepareLocalFiles(config);
  // Serves nothing and works nothing: the way to make workspaces beside a process that gets killed.
  const desk = await startPatchbay({ config, roles: { api: false, worker: false } });
  const sql = postgres({ ...server.adminConnection, max: 2, onnotice: () => {} });
  return {
    url: config.publicUrl,
    env,
    sandbox,
    database: { sql },
    async addWorkspace() {
      const workspace = await desk.createWorkspace({ name: "Crash", mode: "test" });
      const { secret: apiKey } = await desk.createApiKey(workspace.id, { name: "crash" });
      const sdk = new Sdk({ apiKey, baseUrl: config.publicUrl });
      await sdk.providers.setApp("shopify", { ...CLIENT, baseUrlOverride: `${sandbox.url}/_shops/{shop}` });
      return { workspace, apiKey, sdk };
    },
    async close() {
      await sql.end({ timeout: 5 });
      await desk.close();
      await sandbox.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
