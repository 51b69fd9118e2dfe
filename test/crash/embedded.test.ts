import { Patchbay } from "@patchbay/node";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { freePort } from "../harness/free-port.ts";
import { waitFor } from "../harness/wait-for.ts";
import { startChild, type Child } from "./child.ts";

const SHOP = "acme-goods.myshopify.com";
const TEST_MS_MAX = 150_000;
const IMPORT_MS_MAX = 60_000;

let dataDir: string;
let env: Readonly<Record<string, string>>;
let demo: Child | null = null;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "patchbay-embedded-"));
  env = {
    PATCHBAY_DATA_DIR: dataDir,
    PATCHBAY_PORT: String(await freePort()),
    PATCHBAY_HOST_APP_PORT: String(await freePort()),
    PATCHBAY_SANDBOX_PORT: String(await freePort()),
    PATCHBAY_LEASE_SECONDS: "2",
  };
});
afterAll(async () => {
  await demo?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

test(
  "embedded Postgres and product killed with -9 in the middle of an import recover at the next start",
  { timeout: TEST_MS_MAX },
  async () => {
    const url = `http://localhost:${env["PATCHBAY_PORT"]}`;
    demo = await start();
    const sdk = await client(url);
    const { id } = await connectStore({ url }, { sdk }, { shop: SHOP, awaitImport: false });
    await waitFor(async () => (await sdk.tenant("acme").records.list("customer", { limit: 1 })).data.length > 0, {
      timeoutMs: IMPORT_MS_MAX,
      what: "the first records",
    });

    expect((await sdk.connections.retrieve(id)).lastSyncedAt).toBeNull();
    const killed = await postmasterPid();
    process.kill(killed, "SIGKILL");
    await demo.kill();
    demo = await start();
    expect(await postmasterPid()).not.toBe(killed);

    await waitFor(async () => (await sdk.connections.retrieve(id)).lastSyncedAt, {
      timeoutMs: IMPORT_MS_MAX,
      what: "the end of the import",
    });
    const customers = await sdk.tenant("acme").records.list("customer").toArray({ limit: 10_000 });
    const shop = (await (
      await fetch(`http://localhost:${env["PATCHBAY_SANDBOX_PORT"]}/_control/shops/${SHOP}`)
    ).json()) as { customers: number };
    expect(new Set(customers.map((customer) => customer.remoteId)).size).toBe(shop.customers);
    expect(customers).toHaveLength(shop.customers);
  },
);

function start(): Promise<Child> {
  return startChild({ script: "scripts/start.ts", args: [], env, ready: "Patchbay is ready" });
}

async function client(baseUrl: string): Promise<Patchbay> {
  return new Patchbay({ apiKey: (await readFile(join(dataDir, "demo-api-key"), "utf8")).trim(), baseUrl });
}

async function postmasterPid(): Promise<number> {
  const [pid = ""] = (await readFile(join(dataDir, "cluster", "postmaster.pid"), "utf8")).split("\n");
  return Number(pid);
}
