import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../packages/backend/src/platform/db/embedded/index.ts";
import { migrate, type ConnectionOptions } from "../../packages/backend/src/platform/db/index.ts";
import { silentLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { scratchRoot } from "./scratch-root.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly postgres: TestPostgres;
  }
}

/** What test files need to make databases of their own on the run's one server. */
export interface TestPostgres {
  readonly admin: ConnectionOptions;
  readonly loginPassword: string;
  readonly template: string;
}

/** Vitest calls this once per project: one throw-away server, the product's migrations applied to a template. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = await scratchRoot();
  await removeLeftovers(root);
  const dataDir = await mkdtemp(join(root, `${FOLDER_PREFIX}${process.pid}-`));
  const server = await startEmbeddedPostgres({ dataDir, log: silentLogger, fsync: false });
  const teardown = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await makeTemplate(server.adminConnection, server.loginPassword);
  } catch (error) {
    await teardown();
    throw error;
  }
  const { adminConnection: admin, loginPassword } = server;
  project.provide("postgres", { admin, loginPassword, template: TEMPLATE });
  return teardown;
}

const FOLDER_PREFIX = "patchbay-test-";
const TEMPLATE = "patchbay_template";

async function makeTemplate(admin: ConnectionOptions, loginPassword: string): Promise<void> {
  const sql = postgres({ ...admin, max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(`create database ${TEMPLATE}`);
    await migrate({ connection: { ...admin, database: TEMPLATE }, loginPassword, log: silentLogger });
    await sql.unsafe(`alter database ${TEMPLATE} with is_template true allow_connections false`);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** A run that was killed leaves its server and folder; their names carry the dead process's id. */
async function removeLeftovers(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const owner = Number(new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!Number.isInteger(owner) || isAlive(owner)) continue;
    const dataDir = join(root, name);
    const pidFile = await stat(join(dataDir, "cluster", "postmaster.pid")).catch(() => null);
    try {
      if (pidFile !== null) await (await startEmbeddedPostgres({ dataDir, log: silentLogger })).stop();
      await rm(dataDir, { recursive: true, force: true });
    } catch {
      // Another run is removing the same folder, or it is another user's: not this run's business.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
