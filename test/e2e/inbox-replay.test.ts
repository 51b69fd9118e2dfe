/** A replay as a host and an operator see it: nothing comes twice, and everybody can tell how far it got. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHILD_ENV } from "../harness/child-env.ts";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";

const SHOP = "acme-goods.myshopify.com";
const ORDERS = 6;
const SINCE = "2020-01-01T00:00:00.000Z";

let product: TestProduct;
let workspace: TestWorkspace;
beforeAll(async () => {
  product = await startTestProduct();
  workspace = await product.addWorkspace();
  await connectStore(product, workspace, { models: ["order"] });
  for (let n = 0; n < ORDERS; n++) product.sandbox.shopify.act(SHOP, "place-order", {});
  await waitFor(async () => (await eventsOf("order.created")).length >= ORDERS, { what: "the orders' events" });
  await atRest();
}, 120_000);
afterAll(() => product.close());

test("a replay of what was applied tells the host nothing", async () => {
  const { inbox } = workspace.sdk;
  const before = await eventsOf();
  const preview = await inbox.previewReplay({ since: SINCE, provider: "shopify" });
  expect(preview.exact).toBe(true);
  expect(preview.matches).toBeGreaterThanOrEqual(ORDERS);
  const { id } = await inbox.replay({ since: SINCE, provider: "shopify", ratePerSecond: 100 });
  const replay = await waitFor(async () => {
    const now = await inbox.retrieveReplay(id);
    return now.status === "completed" ? now : null;
  });
  expect(replay).toMatchObject({ matches: preview.matches, replayed: preview.matches, skipped: 0, failed: 0 });
  await atRest();
  expect(await eventsOf()).toEqual(before);
});

test("a replay makes up for what was lost behind the inbox", async () => {
  const { sql } = product.database;
  const before = await eventsOf();
  const worker = await halted();
  product.sandbox.shopify.act(SHOP, "place-order", {});
  await waitFor(async () => (await sql`select 1 from dirty_marks where not patient`).length > 0);
  await sql`delete from dirty_marks`;
  await worker.resume();
  await atRest();
  expect(await eventsOf()).toEqual(before);
  const [newest] = await workspace.sdk.inbox.list({ status: "routed" }).toArray({ limit: 1 });
  await workspace.sdk.inbox.replay({ ids: [newest?.id ?? ""] });
  await waitFor(async () => (await eventsOf()).length > before.length, { what: "the lost order's event" });
});

test("the operator counts and replays at the command line; the audit log has it", async () => {
  expect(await cli("replay", "--since", SINCE)).toContain("with --start they are routed once more");
  const { id } = JSON.parse(await cli("replay", "--since", SINCE, "--start", "--rate", "50")) as { id: string };
  await waitFor(async () => (await workspace.sdk.inbox.retrieveReplay(id)).status === "completed");
  const entries = await workspace.sdk.audit.list({ actorKind: "operator" }).toArray({ limit: 50 });
  expect(entries.some((entry) => entry.action === "inbox.replay" && entry.target.id === id)).toBe(true);
});

/** Holds the connection's lane, as a worker would that does nothing with it. */
async function halted(): Promise<{ resume(): Promise<void> }> {
  const { sql } = product.database;
  const token = randomUUID();
  await sql`update queue.lanes set lease_token = ${token}, lease_until = now() + interval '1 hour' where kind = 'connection'`;
  return {
    async resume() {
      await sql`update queue.lanes set lease_token = null, lease_until = null where lease_token = ${token}`;
    },
  };
}

async function cli(verb: string, ...options: readonly string[]): Promise<string> {
  const main = new URL("../../packages/backend/src/main.ts", import.meta.url).pathname;
  const args = [main, "inbox", verb, "--workspace", workspace.workspace.id, ...options];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...CHILD_ENV, ...product.env } });
  return stdout;
}

async function eventsOf(type?: string): Promise<string[]> {
  const events = await workspace.sdk.events.list().toArray({ limit: 1_000 });
  return events.filter((event) => type === undefined || event.type === type).map((event) => event.id);
}

/** Until nothing waits in the inbox or in a connection's lane. */
async function atRest(): Promise<void> {
  const { sql } = product.database;
  await waitFor(async () => {
    const rows = await sql`
      select 1 from queue.arrivals union all select 1 from dirty_marks
      union all select 1 from queue.items where kind = 'connection' limit 1`;
    return rows.length === 0;
  });
}
