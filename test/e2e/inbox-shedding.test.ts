/** One source floods while the disk stands still: it is refused first, and a quiet one is still taken in. */
import { encodeUuid } from "@patchbay/shared";
import { createHmac, randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";

const SECRET = "sandbox-secret-0001";
const SHOPS = ["acme-goods.myshopify.com", "maison-lumiere.myshopify.com"] as const;
const BIG = Buffer.alloc(1024 * 1024, 0x20);
/** More than may wait for the disk. */
const FLOOD = 160;

let product: TestProduct;
let addresses: readonly string[];
beforeAll(async () => {
  product = await startTestProduct();
  const workspace = await product.addWorkspace();
  for (const shop of SHOPS) await connectStore(product, workspace, { tenantId: shop.split(".")[0] ?? "", shop });
  const rows = await product.database.sql<{ id: string; workspace_id: string }[]>`
    select id, workspace_id from sources order by created_at`;
  addresses = rows.map((row) => `/in/shopify/src_${encodeUuid(row.id)}_${encodeUuid(row.workspace_id)}`);
}, 120_000);
afterAll(() => product.close());

test("a source that floods is answered 503 with Retry-After, and the quiet one beside it 200", async () => {
  const [noisy = "", quiet = ""] = addresses;
  // Known to the process, with their keys at hand: from here on nothing but the disk is waited for.
  for (const address of addresses) expect((await deliver(address, Buffer.from("{}"))).status).toBe(200);
  const before = await kept();
  const disk = await holdDisk();
  const flood = Array.from({ length: FLOOD }, () => deliver(noisy, BIG));
  const first = await Promise.race(flood);
  expect(first).toEqual({ status: 503, retryAfter: "5" });
  const calm = Array.from({ length: 5 }, () => deliver(quiet, Buffer.from('{"id":1}')));
  await waitFor(async () => (await refusedSoFar()) > 0);
  await disk.release();
  expect(new Set((await Promise.all(calm)).map(({ status }) => status))).toEqual(new Set([200]));
  const answers = await Promise.all(flood);
  const taken = answers.filter(({ status }) => status === 200).length;
  expect(answers.filter(({ status }) => status === 503)).toHaveLength(FLOOD - taken);
  expect(taken).toBeGreaterThan(0);
  expect((await kept()) - before).toBe(taken + calm.length);
  expect(await refusedSoFar()).toBe(FLOOD - taken);
});

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

const agent = new Agent({ maxSockets: FLOOD + 10 });

function deliver(path: string, body: Buffer): Promise<Answer> {
  const { hostname, port } = new URL(product.url);
  const headers = {
    "content-length": body.length,
    "x-shopify-topic": "orders/updated",
    "x-shopify-shop-domain": SHOPS[addresses.indexOf(path)] ?? "",
    "x-shopify-webhook-id": randomUUID(),
    "x-shopify-hmac-sha256": createHmac("sha256", SECRET).update(body).digest("base64"),
  };
  return new Promise((resolve, reject) => {
    const asked = request({ agent, hostname, port, path, method: "POST", headers }, (answer) => {
      answer.resume();
      const status = answer.statusCode ?? 0;
      answer.once("end", () => resolve({ status, retryAfter: answer.headers["retry-after"] }));
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

/** Lets no arrival be committed until released. */
async function holdDisk(): Promise<{ release(): Promise<void> }> {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const holding = product.database.sql.begin(async (tx) => {
    await tx`lock table queue.arrivals in share mode`;
    held.resolve();
    await released.promise;
  });
  await held.promise;
  return {
    async release() {
      released.resolve();
      await holding;
    },
  };
}

async function kept(): Promise<number> {
  const [row] = await product.database.sql<{ count: string }[]>`select count(*) from inbox`;
  return Number(row?.count);
}

async function refusedSoFar(): Promise<number> {
  const headers = { authorization: `Bearer ${product.operatorToken}` };
  const text = await (await fetch(`${product.url}/metrics`, { headers })).text();
  const line = /^pb_inbox_received_total\{provider="shopify",result="overloaded"\} (\d+)$/m.exec(text);
  return Number(line?.[1] ?? 0);
}
