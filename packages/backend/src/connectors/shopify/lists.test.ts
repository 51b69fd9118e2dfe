import { describe, expect, test } from "vitest";
import { type PagedList, type ProviderRequest, type ProviderResponse, variablesOf } from "../kit/index.ts";
import { answer } from "./fixtures.ts";
import { customers } from "./resources/customers.ts";
import { orders } from "./resources/orders.ts";

const list = orders.list as PagedList;
const since = new Date("2026-11-20T10:00:00.900Z");

/** A full page of orders that all changed at `updatedAt`. */
function page(updatedAt: string, endCursor: string, count = 100): ProviderResponse {
  const nodes = Array.from({ length: count }, (_, n) => ({ id: `gid://shopify/Order/${n}`, updatedAt }));
  const connection = { nodes, pageInfo: { hasNextPage: true, endCursor } };
  return { status: 200, headers: {}, body: { data: { orders: connection, shop: {} } } };
}

/** Walks until the list starts anew or `pages` are read. */
function walk(pages: number, updatedAt: (n: number) => string): { request: ProviderRequest; read: number } {
  let request = list.first({ since: null, pageSize: 100 });
  for (let read = 1; read <= pages; read++) {
    request = list.next(page(updatedAt(read), `c${read}`), request) as ProviderRequest;
    if (variablesOf(request)["after"] === null) return { request, read };
  }
  return { request, read: pages };
}

describe("updatedList", () => {
  test("asks for all, or for what changed at or after a whole second", () => {
    expect(variablesOf(list.first({ since: null, pageSize: 20 }))).toEqual({ first: 20, after: null, query: null });
    expect(variablesOf(list.first({ since, pageSize: 20 }))).toEqual({
      first: 20,
      after: null,
      query: "updated_at:>='2026-11-20T10:00:00Z'",
    });
  });

  test("the next request keeps all but the cursor", () => {
    const first = list.first({ since, pageSize: 20 });
    const next = list.next(page("2026-11-20T11:00:00Z", "c1"), first) as ProviderRequest;
    expect(variablesOf(next)).toEqual({ ...variablesOf(first), after: "c1" });
  });

  test("a request outlives being stored as JSON", () => {
    const stored = JSON.parse(JSON.stringify(list.first({ since, pageSize: 20 }))) as ProviderRequest;
    expect(variablesOf(list.next(page("2026-11-20T11:00:00Z", "c1"), stored) as ProviderRequest)["after"]).toBe("c1");
  });

  test("a smaller page costs less and keeps its place", () => {
    const next = list.next(page("2026-11-20T11:00:00Z", "c1"), list.first({ since, pageSize: 20 })) as ProviderRequest;
    const smaller = list.resize(next, 5);
    expect(variablesOf(smaller)).toMatchObject({ first: 5, after: "c1" });
    expect(smaller.cost).toBeLessThan(next.cost);
  });

  test("starts anew at the last change before Shopify's depth limit", () => {
    const { request, read } = walk(300, (n) => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString());
    expect(read * 100).toBeLessThanOrEqual(25_000);
    expect(read * 100).toBeGreaterThan(24_500);
    expect(variablesOf(request)["query"]).toBe(
      `updated_at:>='${new Date(Date.UTC(2026, 0, 1) + read * 60_000).toISOString().slice(0, 19)}Z'`,
    );
  });

  test("does not start anew where it began, which would never end", () => {
    const start = "2026-01-01T00:00:00Z";
    let request = list.first({ since: new Date(start), pageSize: 100 });
    for (let read = 1; read <= 260; read++) request = list.next(page(start, `c${read}`), request) as ProviderRequest;
    expect(variablesOf(request)["after"]).toBe("c260");
  });

  test("the count is the shop's, where it tells", () => {
    expect(list.count?.parse(answer("count.orders.json"))).toBe(12803);
    expect(list.count?.parse({ status: 200, headers: {}, body: { data: { ordersCount: null } } })).toBeNull();
  });
});

describe("readByIds", () => {
  test("asks by global id and leaves out what is gone", () => {
    const { batchRead } = customers;
    expect(variablesOf(batchRead?.request(["8301122339999", "1"]) as ProviderRequest)).toEqual({
      ids: ["gid://shopify/Customer/8301122339999", "gid://shopify/Customer/1"],
    });
    const found = batchRead?.parse(answer("batch.customers.json")) ?? [];
    expect(found.map(({ remoteId }) => remoteId)).toEqual(["8301122339999"]);
  });

  test("no estimate exceeds what a single operation may cost", () => {
    const ids = Array.from({ length: orders.batchRead?.maxIds ?? 0 }, (_, n) => String(n + 1));
    expect(orders.batchRead?.request(ids).cost).toBeLessThanOrEqual(1000);
    expect(list.first({ since: null, pageSize: 250 }).cost).toBe(1000);
  });
});

describe("expansions", () => {
  test("a parent that vanished meanwhile ends its expansion", () => {
    const [item] = list.items(answer("list.orders.1.json")).slice(1);
    const gone: ProviderResponse = { status: 200, headers: {}, body: { data: { nodes: [null] } } };
    const [lines] = list.expansions(item);
    expect(lines?.next(gone, lines.request)).toBeNull();
    const merged = lines?.merge(item, gone);
    expect(list.expansions(merged)).toHaveLength(list.expansions(item).length - 1);
  });

  test("an item of no known shape asks for nothing", () => {
    expect(list.expansions({ nonsense: true })).toEqual([]);
    expect(list.expansions(null)).toEqual([]);
  });
});
