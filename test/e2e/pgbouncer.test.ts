import { bindCommands, explainStartError } from "@patchbay/backend";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { createTestDatabase } from "../harness/database.ts";
import { findPgBouncer, startPgBouncer } from "../harness/pgbouncer.ts";
import { startTestProduct } from "../harness/product.ts";
import { scratchRoot } from "../harness/scratch-root.ts";
import { waitFor } from "../harness/wait-for.ts";

const program = await findPgBouncer();
if (program === null) process.stdout.write("T4: PgBouncer is not installed, its test is left out\n");

test.skipIf(program === null)("T4: the product connects, imports, hears and tells through the pooler", async () => {
  const database = await createTestDatabase();
  await using pooler = await startPgBouncer(program ?? "", database.connection, { poolSize: 8 });
  const api = await startTestProduct({ roles: { api: true, worker: false }, env: pooler.env });
  const worker = await api.startWorker();
  try {
    const workspace = await api.addWorkspace();
    await connectStore(api, workspace);
    api.sandbox.shopify.act("acme-goods.myshopify.com", "place-order", {});
    const told = await waitFor(async () => {
      const events = await workspace.sdk.events.list().toArray({ limit: 1_000 });
      return events.find((event) => event.type === "order.created");
    });
    expect(told.tenantId).toBe("acme");
  } finally {
    await worker.close();
    await api.close();
    await database.drop();
  }
});

test.skipIf(program === null).each([
  ["refuses the settings of a connection", ""],
  ["swallows them", "statement_timeout,idle_in_transaction_session_timeout"],
])("a start that is given nothing but a pooler that %s says what to set", async (_, ignores) => {
  await using database = await createTestDatabase();
  await using pooler = await startPgBouncer(program ?? "", database.connection, { poolSize: 4, ignores });
  const { DATABASE_URL = "" } = pooler.env;
  const folder = await mkdtemp(join(await scratchRoot(), "pooled-"));
  const commands = bindCommands({
    env: { DATABASE_URL, PATCHBAY_DATA_DIR: folder, PATCHBAY_LOG_LEVEL: "silent" },
    cwd: folder,
    print: () => {},
  });
  const told = await commands.migrate().catch(explainStartError);
  await rm(folder, { recursive: true });
  expect(told).toEqual({ message: expect.stringContaining("set PATCHBAY_DATABASE_DIRECT_URL") as string, exitCode: 1 });
});
