import { describe, expect, test } from "vitest";
import { anOrder, anOrderCreated, SECRET, testApp } from "./testing.ts";

const page = (...data: unknown[]) => ({ data, hasMore: false, nextCursor: null });
const ORDERS = "GET /v1/tenants/northwind/records/order";

describe("POST /webhooks/patchbay", () => {
  test("takes a genuine event and shows it as verified, with amount and latency", async () => {
    const { app, patchbay } = testApp();
    const signed = await patchbay.webhooks.signTestEvent(anOrderCreated(), SECRET);
    expect((await app.request("/webhooks/patchbay", { method: "POST", ...signed })).status).toBe(204);
    const html = await (await app.request("/events")).text();
    expect(html).toMatch(/data-type="order.created"[^]*#1001[^]*Northwind Outfitters[^]*€42.00[^]*Verified[^]*84 ms/);
  });

  test("refuses an event signed with another secret, counts it and shows nothing of it", async () => {
    const { app, patchbay, events, lines } = testApp();
    const signed = await patchbay.webhooks.signTestEvent(anOrderCreated(), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    const response = await app.request("/webhooks/patchbay", { method: "POST", ...signed });
    expect([response.status, await response.text()]).toEqual([400, "no_matching_signature"]);
    expect([events.list(), events.refused]).toEqual([[], 1]);
    expect(lines).toEqual(["refused a webhook: no_matching_signature"]);
  });

  test("acts once on an event that comes twice", async () => {
    const { app, patchbay, events } = testApp();
    const signed = await patchbay.webhooks.signTestEvent(anOrderCreated(), SECRET);
    await app.request("/webhooks/patchbay", { method: "POST", ...signed });
    await app.request("/webhooks/patchbay", { method: "POST", ...signed });
    expect(events.list()).toMatchObject([{ copies: 2 }]);
  });
});

describe("POST /api/connect-session", () => {
  const routes = { "POST /v1/connect-sessions": { id: "cs_1", token: "cst_test_1", expiresAt: "" } };
  const post = { method: "POST", headers: { origin: "http://localhost:4401", cookie: "tideline_user=user_theo" } };

  test("makes a session for the tenant and person who are signed in, for this origin alone", async () => {
    const { app, calls } = testApp(routes);
    expect(await (await app.request("/api/connect-session", post)).json()).toEqual({ token: "cst_test_1" });
    expect(calls.map((call) => call.body)).toEqual([
      {
        tenantId: "lumen-oak",
        endUser: { id: "user_theo", label: "Theo Lindqvist", email: "theo@lumenoak.example" },
        allowedOrigins: ["http://localhost:4401"],
        returnUrl: "http://localhost:4401/",
      },
    ]);
  });

  test("refuses a page of another origin", async () => {
    const { app, calls } = testApp(routes);
    const headers = { ...post.headers, origin: "https://evil.example" };
    expect((await app.request("/api/connect-session", { ...post, headers })).status).toBe(403);
    expect(calls).toEqual([]);
  });

  test("answers 502 without details when Patchbay refuses", async () => {
    const { app } = testApp();
    const response = await app.request("/api/connect-session", post);
    expect([response.status, await response.json()]).toEqual([502, { error: "Patchbay could not be reached" }]);
  });
});

describe("the overview", () => {
  test("invites to connect a store while there are no orders", async () => {
    const { app } = testApp({ [ORDERS]: page() });
    expect(await (await app.request("/")).text()).toContain("Connect your store");
  });

  test("shows orders newest first, with amounts from minor units of their own currency", async () => {
    const yen = anOrder({ id: "ord_2", name: "#1002", currency: "JPY", currencyExponent: 0, totalAmount: 12_800 });
    const newer = { ...yen, placedAt: "2026-11-22T11:59:00.000Z", changeSeq: "2" };
    const { app } = testApp({ [ORDERS]: page(anOrder(), newer) });
    expect(await (await app.request("/")).text()).toMatch(/#1002[^]*¥12,800[^]*#1001[^]*€42.00/);
  });

  test("reads only what changed since the page before, and drops deleted orders", async () => {
    const answers = [page(anOrder({ changeSeq: "7" })), page(anOrder({ changeSeq: "8", remoteWasDeleted: true }))];
    const { app, calls } = testApp({ [ORDERS]: () => answers.shift() });
    await app.request("/");
    expect(await (await app.request("/")).text()).not.toContain("#1001");
    expect(calls.map((call) => call.query.get("changedAfterSeq"))).toEqual([null, "7"]);
  });

  test("shows what it knew, and says so, when Patchbay does not answer", async () => {
    const answers: unknown[] = [page(anOrder())];
    const { app } = testApp({ [ORDERS]: () => answers.shift() ?? Promise.reject(new Error("down")) });
    await app.request("/");
    expect(await (await app.request("/")).text()).toMatch(/can’t reach your stores[^]*#1001/);
  });

  test("shows names from a shop as text, never as markup", async () => {
    const { app } = testApp({ [ORDERS]: page(anOrder({ name: "<img src=x onerror=alert(1)>" })) });
    const html = await (await app.request("/")).text();
    expect(html).toContain("&lt;img src=x");
    expect(html).not.toContain("<img");
  });

  test("sends a policy that allows nothing inline and needs trusted types", async () => {
    const { app } = testApp({ [ORDERS]: page() });
    const policy = (await app.request("/")).headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'; script-src 'self' http://localhost:4400; style-src 'self'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toContain("unsafe");
  });

  test("brings 127.0.0.1 to localhost, the one origin that sessions are for", async () => {
    const { app } = testApp({ [ORDERS]: page() });
    const response = await app.request("http://127.0.0.1:4401/?a=1", { headers: { host: "127.0.0.1:4401" } });
    expect(response.headers.get("location")).toBe("http://localhost:4401/?a=1");
  });
});

test("signing in as somebody else shows that tenant's orders", async () => {
  const { app } = testApp({ "GET /v1/tenants/lumen-oak/records/order": page(anOrder({ name: "#L1" })) });
  const body = new URLSearchParams({ user: "user_theo", back: "https://evil.example" });
  const response = await app.request("/sign-in", { method: "POST", body });
  expect(response.headers.get("location")).toBe("/");
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(await (await app.request("/", { headers: { cookie } })).text()).toContain("#L1");
});

test("events can be shown of one tenant alone", async () => {
  const { app, events } = testApp();
  events.add(anOrderCreated(), new Date());
  events.add(anOrderCreated({ id: "evt_2", tenantId: "lumen-oak" }), new Date());
  const html = await (await app.request("/events?tenant=lumen-oak")).text();
  expect(html).toContain('id="evt_2"');
  expect(html).not.toContain('id="evt_1"');
});
