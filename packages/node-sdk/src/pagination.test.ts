import { describe, expect, test } from "vitest";
import { NotFoundError, PatchbayError } from "./errors.ts";
import { apiServer, json, problem, testTransport } from "./testing/api-server.ts";

const LIST = { method: "GET", path: ["tenants"], query: { limit: 2 } } as const;
const first = json({ data: [1, 2], hasMore: true, nextCursor: "c/1" });
const second = json({ data: [3, 4], hasMore: true, nextCursor: "c2" });
const last = json({ data: [5], hasMore: false, nextCursor: null });

describe("a list", () => {
  test("gives its first page when awaited, and asks for no other", async () => {
    await using server = await apiServer(first);
    const page = await testTransport(server).list<number>(LIST);
    expect(page).toMatchObject({ data: [1, 2], hasMore: true, nextCursor: "c/1" });
    expect(page.hasNextPage()).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  test("gives every item of every page when iterated, in order", async () => {
    await using server = await apiServer(first, second, last);
    const items: number[] = [];
    for await (const item of testTransport(server).list<number>(LIST)) items.push(item);
    expect(items).toEqual([1, 2, 3, 4, 5]);
    const urls = server.requests.map((request) => request.url);
    expect(urls).toEqual(["/v1/tenants?limit=2", "/v1/tenants?limit=2&cursor=c%2F1", "/v1/tenants?limit=2&cursor=c2"]);
  });

  test("asks for a page only when the one before is used up", async () => {
    await using server = await apiServer(first, second, last);
    for await (const item of testTransport(server).list<number>(LIST)) if (item === 2) break;
    expect(server.requests).toHaveLength(1);
  });

  test("can be walked page by page", async () => {
    await using server = await apiServer(first, last);
    let page = await testTransport(server).list<number>(LIST);
    page = await page.getNextPage();
    expect(page.data).toEqual([5]);
    expect(page.hasNextPage()).toBe(false);
    await expect(page.getNextPage()).rejects.toThrow(PatchbayError);
  });

  test("toArray takes no more than its limit and no page too many", async () => {
    await using server = await apiServer(first, second, last);
    expect(await testTransport(server).list<number>(LIST).toArray({ limit: 4 })).toEqual([1, 2, 3, 4]);
    expect(server.requests).toHaveLength(2);
  });

  test("stops with an error when the server repeats a cursor", async () => {
    await using server = await apiServer(first);
    await expect(testTransport(server).list<number>(LIST).toArray({ limit: 100 })).rejects.toThrow("would not end");
    expect(server.requests).toHaveLength(2);
  });

  test("that always comes whole has no next page", async () => {
    await using server = await apiServer(json({ data: [1, 2] }));
    const page = await testTransport(server).list<number>(LIST);
    expect(page).toMatchObject({ data: [1, 2], hasMore: false, nextCursor: null });
  });

  test("rejects when awaited and when iterated alike", async () => {
    await using server = await apiServer(problem(404, "tenant_not_found", false));
    await expect(testTransport(server).list(LIST)).rejects.toThrow(NotFoundError);
    await expect(testTransport(server).list(LIST).toArray({ limit: 1 })).rejects.toThrow(NotFoundError);
  });

  test("gives the first page with its response", async () => {
    await using server = await apiServer(last);
    const { data: page, requestId } = await testTransport(server).list<number>(LIST).withResponse();
    expect([page.data, requestId]).toEqual([[5], "req_1"]);
  });
});
