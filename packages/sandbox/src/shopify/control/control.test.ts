import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Sandbox, startSandbox } from "../../start.ts";
import { connect, graphql, SHOP, smallSandbox, startReceiver, subscribe } from "../test-kit.ts";

let sandbox: Sandbox;
let token: string;

beforeAll(async () => {
  sandbox = await smallSandbox();
  token = await connect(sandbox);
});
afterAll(() => sandbox.close());

const api = (path: string, body?: object) => {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return fetch(`${sandbox.url}/_control${path}`, body ? post : {});
};
const form = (verb: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${sandbox.url}/_shops/${SHOP}/control/${verb}`, {
    method: "POST",
    body: new URLSearchParams(fields),
    redirect: "manual",
    headers,
  });

describe("the JSON interface", () => {
  test("cancels an order that was refunded whole, and tells of it", async () => {
    const { orderId } = sandbox.shopify.act(SHOP, "place-order", { amount: "10.00" });
    sandbox.shopify.act(SHOP, "refund", { orderId });
    const receiver = await startReceiver();
    await subscribe(sandbox, token, ["ORDERS_UPDATED"], receiver.url);
    sandbox.shopify.act(SHOP, "cancel-order", { orderId });
    await sandbox.shopify.webhooks.idle();
    expect(sandbox.shopify.catalog(SHOP).orders.get(BigInt(String(orderId)))?.cancelledAt).not.toBeNull();
    expect(receiver.received.map(({ body }) => JSON.parse(body)["cancel_reason"])).toEqual(["customer"]);
    await receiver.close();
  });

  test("places an order of the asked amount and refunds part of it", async () => {
    const placed = (await (await api(`/shops/${SHOP}/place-order`, { amount: "42.50" })).json()) as Record<
      string,
      string
    >;
    expect(placed).toMatchObject({
      total: "42.50",
      currency: "USD",
      financialStatus: "PAID",
      gid: `gid://shopify/Order/${placed["orderId"]}`,
    });
    const refunded = await (await api("/shops/acme-goods/refund", { orderId: placed["gid"], amount: "2.50" })).json();
    expect(refunded).toMatchObject({ refunded: "2.50", currentTotal: "40.00", financialStatus: "PARTIALLY_REFUNDED" });
  });

  test.each([
    ["/shops/nobody/place-order", {}, 404],
    [`/shops/${SHOP}/make-coffee`, {}, 404],
    [`/shops/${SHOP}/__proto__`, {}, 404],
    [`/shops/${SHOP}/place-order`, { amount: "-1" }, 422],
    [`/shops/${SHOP}/refund`, { orderId: "1" }, 422],
    [`/shops/${SHOP}/switches`, { latencyMs: 1e9 }, 422],
    ["/apps", { clientId: "x" }, 400],
  ])("%s with %j answers %i", async (path, body, status) => {
    const answer = await api(path, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toHaveProperty("error");
  });

  test("tells what is installed, subscribed and switched", async () => {
    const answer = await (await api(`/shops/${SHOP}`)).json();
    expect(answer).toMatchObject({
      domain: SHOP,
      installs: [{ clientId: "sandbox-app" }],
      switches: { latencyMs: 0, sixtyDayWindow: true },
    });
  });
});

describe("the page", () => {
  test("a form does its work and comes back with what happened", async () => {
    const answer = await form("place-order", { amount: "", customer: "guest" });
    expect(answer.status).toBe(303);
    const page = await (await fetch(new URL(answer.headers.get("location") ?? "", sandbox.url))).text();
    expect(page).toMatch(/Order #\d+ placed: \d+\.\d\d USD\./);
  });

  test("what people typed is shown as text", async () => {
    await form("update-order", { orderId: "", note: "<script>alert(1)</script>" });
    const page = await (await fetch(`${sandbox.url}/_shops/${SHOP}/control`)).text();
    expect(page).toContain("&lt;script&gt;");
    expect(page).not.toContain("<script>alert");
  });

  test("refuses a form of another site", async () => {
    expect((await form("uninstall", {}, { Origin: "https://evil.example" })).status).toBe(403);
    expect((await form("update-order", { note: "own" }, { Origin: sandbox.url })).status).toBe(303);
  });

  test("says what is wrong instead of failing", async () => {
    const answer = await form("refund", { orderId: "1", amount: "" });
    expect(new URL(answer.headers.get("location") ?? "", sandbox.url).searchParams.get("bad")).toBe(
      "This store has no such order.",
    );
  });

  test("the start page leads to every store", async () => {
    const page = await (await fetch(sandbox.url)).text();
    for (const shop of sandbox.shopify.shops) expect(page).toContain(`/_shops/${shop}/control`);
  });
});

describe("faults", () => {
  const call = () => graphql(sandbox, token, "{ shop { name } }").catch(() => null);

  test.each([500, 502, 429])("the next two calls answer %i, the third works", async (failStatus) => {
    sandbox.shopify.act(SHOP, "switches", { failCount: 2, failStatus });
    const url = `${sandbox.url}/_shops/${SHOP}/admin/api/2026-10/graphql.json`;
    const plain = () =>
      fetch(url, {
        method: "POST",
        headers: { "X-Shopify-Access-Token": token },
        body: '{"query":"{ shop { name } }"}',
      });
    const answers = [await plain(), await plain(), await plain()];
    expect(answers.map((answer) => answer.status)).toEqual([failStatus, failStatus, 200]);
    expect(answers[0]?.headers.get("Retry-After")).toBe(failStatus === 429 ? "2.0" : null);
  });

  test("a dropped connection gives no answer at all", async () => {
    sandbox.shopify.act(SHOP, "switches", { dropNext: 1 });
    expect(await call()).toBeNull();
    expect((await call())?.status).toBe(200);
  });

  test("a throttle storm says THROTTLED as often as asked", async () => {
    sandbox.shopify.act(SHOP, "switches", { throttleNext: 2 });
    const codes = [await call(), await call(), await call()].map(
      (answer) => answer?.body.errors?.[0].extensions.code ?? "ok",
    );
    expect(codes).toEqual(["THROTTLED", "THROTTLED", "ok"]);
  });

  test("a delay delays, and calm ends it", async () => {
    sandbox.shopify.act(SHOP, "switches", { latencyMs: 120 });
    const begun = performance.now();
    await call();
    expect(performance.now() - begun).toBeGreaterThan(115);
    sandbox.shopify.act(SHOP, "calm");
    expect(sandbox.shopify.switches(SHOP).latencyMs).toBe(0);
  });

  test("the control page itself never suffers", async () => {
    sandbox.shopify.act(SHOP, "switches", { failCount: 5 });
    expect((await fetch(`${sandbox.url}/_shops/${SHOP}/control`)).status).toBe(200);
    sandbox.shopify.act(SHOP, "calm");
  });
});

describe("the state file", () => {
  test("a restarted sandbox knows its orders, tokens and subscriptions, and retries what it had not delivered", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sandbox-state-"));
    const stateFile = join(folder, "sandbox", "state.bin");
    const receiver = await startReceiver();
    receiver.answerWith = 500;
    const options = { orders: 30, products: 20, customers: 10, stateFile };
    const first = await startSandbox(options);
    const held = await connect(first);
    await subscribe(first, held, ["ORDERS_CREATE"], receiver.url);
    const { orderId } = first.shopify.act(SHOP, "place-order", { amount: "5.00" });
    await first.shopify.webhooks.idle();
    await first.close();
    expect(statSync(stateFile).mode & 0o777).toBe(0o600);

    let now = new Date();
    const second = await startSandbox({ ...options, clock: { now: () => now } });
    const { body } = await graphql(
      second,
      held,
      "query($id: ID!) { order(id: $id) { totalPriceSet { shopMoney { amount } } } }",
      { variables: { id: `gid://shopify/Order/${String(orderId)}` } },
    );
    expect(body.data.order.totalPriceSet.shopMoney.amount).toBe("5.0");
    receiver.answerWith = 200;
    now = new Date(now.getTime() + 3_600_000);
    second.shopify.webhooks.retryDueNow();
    await second.shopify.webhooks.idle();
    expect(second.shopify.deliveries(SHOP).at(-1)?.state).toBe("delivered");
    await second.close();
    await receiver.close();
    rmSync(folder, { recursive: true });
  });
});
