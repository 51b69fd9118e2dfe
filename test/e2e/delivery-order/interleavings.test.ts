import { decodeId } from "@patchbay/shared";
import fc from "fast-check";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkHistory } from "../../crash/check-history.ts";
import { collectHistory, recordVersions, waitingWork } from "../../crash/collect-history.ts";
import { changeSomething, mulberry32 } from "../../crash/random-kills.ts";
import { startReceiver, type Receiver } from "../../crash/receiver.ts";
import { connectStore } from "../../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../../harness/product.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { inboxUrl, postWebhook, SHOP } from "./webhook-post.ts";

const RUNS = 25;
/** A slow machine makes fewer, but these at least. */
const RUNS_MIN = 4;
const RUNNING_MS_MAX = 25_000;
const STEPS_MAX = 25;
const REST_MS_MAX = 30_000;
const TEST_MS_MAX = 150_000;

let product: TestProduct;
let workspace: TestWorkspace;
let receiver: Receiver;
let connectionId: string;
let inbox: string;
let imported: ReadonlyMap<string, number>;
const accepted = new Set<string>();

beforeAll(async () => {
  receiver = await startReceiver();
  product = await startTestProduct({ endpointOrigins: [receiver.origin] });
  product.sandbox.shopify.act(SHOP, "switches", { sixtyDayWindow: false });
  workspace = await product.addWorkspace();
  for (const name of ["first", "second"]) {
    receiver.bind(name, await workspace.sdk.webhookEndpoints.create({ url: receiver.urlOf(name) }));
  }
  connectionId = (await connectStore(product, workspace)).id;
  imported = await recordVersions(product.database.sql, decodeId("conn", connectionId) ?? "");
  inbox = await inboxUrl(product.sandbox);
});
afterAll(async () => {
  await product.close();
  await receiver.close();
});

/** One step of a history; the seed chooses what changes. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("change" as const), seed: fc.nat(1_000_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("hold" as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("disorder" as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("duplicates" as const), count: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("latency" as const), ms: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("run" as const), full: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("repeat" as const), which: fc.nat(400), sameId: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pause" as const), turns: fc.integer({ min: 1, max: 5 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

test(
  "however changes, copies, delays, disorder and runs interleave: records are the store's, every version is told once",
  { timeout: TEST_MS_MAX },
  async () => {
    const startedMs = performance.now();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: STEPS_MAX }), async (steps) => {
        if (runs >= RUNS_MIN && performance.now() - startedMs > RUNNING_MS_MAX) return;
        runs += 1;
        for (const each of steps) await take(each);
        await rest();
        expect(await violations()).toEqual([]);
      }),
      // Each run goes on in the world that the run before left, so a failing one cannot be made smaller.
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(receiver.forged).toBe(0);
    expect(new Set(receiver.acted).size).toBe(receiver.acted.length);
    expect(receiver.acted.length).toBeGreaterThan(RUNS_MIN);
  },
);

async function take(each: Step): Promise<void> {
  const { shopify } = product.sandbox;
  const act = (verb: string, input: Readonly<Record<string, unknown>> = {}) => shopify.act(SHOP, verb, input);
  switch (each.kind) {
    case "change":
      return changeSomething({ act }, mulberry32(each.seed));
    case "hold":
      act("switches", { hold: each.on });
      return;
    case "disorder":
      act("switches", { disorder: each.on });
      return;
    case "duplicates":
      act("switches", { duplicates: each.count });
      return;
    case "latency":
      act("switches", { latencyMs: each.ms });
      return;
    case "run":
      await workspace.sdk.runs.trigger({ connectionId, mode: each.full ? "full" : "incremental" });
      return;
    case "repeat":
      return repeat(each);
    case "pause":
      for (let turn = 0; turn < each.turns; turn++) await workspace.sdk.connections.retrieve(connectionId);
  }
}

/** A webhook of earlier comes once more, late: with its own id, or as one that the store sent twice. */
async function repeat(each: { readonly which: number; readonly sameId: boolean }): Promise<void> {
  const sent = product.sandbox.shopify.deliveries(SHOP).filter(({ state }) => state === "delivered");
  const old = sent[each.which % Math.max(1, sent.length)];
  if (old === undefined) return;
  const { topic, body, triggeredAt } = old;
  const webhookId = each.sameId ? old.webhookId : randomUUID();
  const status = await postWebhook({ url: inbox, topic, body, triggeredAt, webhookId });
  if (status === 200) accepted.add(webhookId);
}

async function rest(): Promise<void> {
  const { shopify } = product.sandbox;
  shopify.act(SHOP, "calm");
  shopify.act(SHOP, "switches", { sixtyDayWindow: false });
  await shopify.webhooks.idle();
  for (const { webhookId, state } of shopify.deliveries(SHOP)) if (state === "delivered") accepted.add(webhookId);
  await waitFor(async () => Object.values(await waitingWork(product.database.sql)).every((count) => count === 0), {
    timeoutMs: REST_MS_MAX,
    what: "everything to be at rest",
  });
}

async function violations() {
  const history = await collectHistory({
    sql: product.database.sql,
    sandbox: product.sandbox,
    stores: [{ tenant: "acme", shop: SHOP }],
    accepted,
    imported,
    receipts: receiver.receipts,
    erasedTenants: [],
    staleWrites: [],
    drainedMs: 0,
    kills: 0,
    inFlightMax: 0,
  });
  return checkHistory(history);
}
