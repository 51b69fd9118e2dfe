import { Patchbay, type PatchbayEvent } from "@patchbay/node";
import { type AppDeps, createApp } from "./app.ts";
import { EventLog } from "./event-log.ts";
import { OrderBook } from "./order-book.ts";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const NOW = new Date("2026-11-22T12:00:00.000Z");

/** By route, such as `GET /v1/tenants/acme`: the answer, or a function that gives it. */
type Routes = Readonly<Record<string, unknown>>;

export interface Call {
  readonly route: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** The SDK, with routes of Patchbay answered from a table; any other route answers 404. */
export function fakePatchbay(routes: Routes = {}): { patchbay: Patchbay; calls: Call[] } {
  const calls: Call[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const call: Call = {
      route: `${init?.method} ${url.pathname}`,
      query: url.searchParams,
      body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined,
    };
    calls.push(call);
    const answer = routes[call.route];
    if (answer === undefined) return Response.json({ code: "not_found", detail: call.route }, { status: 404 });
    return Response.json(typeof answer === "function" ? await answer(call) : answer);
  };
  return { patchbay: new Patchbay({ apiKey: "pb_test_1", fetch, maxRetries: 0 }), calls };
}

export function testApp(routes: Routes = {}, overrides: Partial<AppDeps> = {}) {
  const { patchbay, calls } = fakePatchbay(routes);
  const events = new EventLog();
  const lines: string[] = [];
  const app = createApp({
    patchbay,
    events,
    orders: new OrderBook(patchbay),
    assets: {
      "app.css": { body: "", type: "text/css", path: "/assets/1/app.css" },
      "app.js": { body: "", type: "text/javascript", path: "/assets/1/app.js" },
    },
    webhookSecret: SECRET,
    patchbayOrigin: "http://localhost:4400",
    url: "http://localhost:4401",
    log: (line) => lines.push(line),
    now: () => NOW,
    ...overrides,
  });
  return { app, events, calls, lines, patchbay };
}

/** An `order.created` as Patchbay would send it. */
export function anOrderCreated(more: object = {}): Extract<PatchbayEvent, { type: "order.created" }> {
  const event = {
    id: "evt_1",
    type: "order.created",
    timestamp: new Date(NOW.getTime() - 84).toISOString(),
    mode: "test",
    tenantId: "northwind",
    connection: null,
    data: {
      object: anOrder(),
      ref: { object: "order", id: "ord_1", remoteId: "1", version: 1, changeSeq: "1" },
      changedFields: [],
      previous: {},
      origin: "provider",
      truncated: false,
    },
    ...more,
  };
  // Only what the pages read.
  return event as unknown as Extract<PatchbayEvent, { type: "order.created" }>;
}

/** What the pages read of an order. */
export function anOrder(more: object = {}) {
  return {
    id: "ord_1",
    object: "order",
    name: "#1001",
    remoteId: "1",
    status: "open",
    financialStatus: "paid",
    fulfillmentStatus: null,
    currency: "EUR",
    currencyExponent: 2,
    totalAmount: 4200,
    refundedAmount: 0,
    lines: [{ quantity: 2 }],
    shippingAddress: null,
    email: "ada@example.com",
    placedAt: "2026-11-22T11:57:00.000Z",
    remoteWasDeleted: false,
    changeSeq: "1",
    ...more,
  };
}
