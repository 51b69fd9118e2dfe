import { describe, expect, test } from "vitest";
import { AuthenticationError } from "./errors.ts";
import { Events } from "./resources/events.ts";
import { apiServer, json, problem, testRuntime, testTransport } from "./testing/api-server.ts";

const page = (ids: readonly string[], nextCursor: string, hasMore = false) =>
  json({ data: ids.map((id) => ({ id })), hasMore, nextCursor });

describe("the tail of the feed", () => {
  test("starts behind the newest event, waits at the end, and goes on with what came", async () => {
    await using server = await apiServer(page([], "p1"), page(["evt_1", "evt_2"], "p2", true), page(["evt_3"], "p3"));
    const runtime = testRuntime();
    const events = new Events(testTransport(server, runtime), runtime);
    const seen: string[] = [];
    for await (const event of events.tail({ tenantId: "acme", pollMs: 700 })) {
      seen.push(event.id);
      if (event.id === "evt_3") break;
    }
    expect(seen).toEqual(["evt_1", "evt_2", "evt_3"]);
    expect(server.requests.map((request) => request.url)).toEqual([
      "/v1/events?tenantId=acme&from=latest",
      "/v1/events?tenantId=acme&after=p1",
      "/v1/events?tenantId=acme&after=p2",
    ]);
    expect(runtime.sleeps).toEqual([700]);
  });

  test("keeps the cursor behind the last page that was used up, so that resuming skips nothing", async () => {
    await using server = await apiServer(page(["evt_1"], "p1", true), page(["evt_2", "evt_3"], "p2"));
    const runtime = testRuntime();
    const tail = new Events(testTransport(server, runtime), runtime).tail({ from: "start" });
    const cursors: (string | null)[] = [];
    for await (const event of tail) {
      cursors.push(tail.cursor);
      if (event.id === "evt_3") break;
    }
    expect(cursors).toEqual([null, "p1", "p1"]);
  });

  test("outlives an outage, waiting longer from poll to poll", async () => {
    const down = problem(503, "overloaded", true);
    await using server = await apiServer(down, down, down, page(["evt_1"], "p1"));
    const runtime = testRuntime();
    const failures: unknown[] = [];
    const tail = new Events(testTransport(server, runtime, 0), runtime).tail({
      after: "p0",
      onFailure: (error) => failures.push(error),
    });
    for await (const event of tail) if (event.id === "evt_1") break;
    expect(runtime.sleeps).toEqual([1000, 2000, 4000]);
    expect(failures).toHaveLength(3);
  });

  test("gives up after failuresMax polls in a row", async () => {
    await using server = await apiServer(problem(503, "overloaded", true));
    const runtime = testRuntime();
    const tail = new Events(testTransport(server, runtime, 0), runtime).tail({ failuresMax: 2 });
    await expect(tail[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "overloaded" });
    expect(server.requests).toHaveLength(3);
  });

  test("throws at once what trying again cannot mend", async () => {
    await using server = await apiServer(problem(401, "unauthenticated", false));
    const runtime = testRuntime();
    const tail = new Events(testTransport(server, runtime), runtime).tail();
    await expect(tail[Symbol.asyncIterator]().next()).rejects.toThrow(AuthenticationError);
  });

  test("ends without an error when its signal aborts during a poll", async () => {
    const controller = new AbortController();
    await using server = await apiServer(() => controller.abort());
    const runtime = testRuntime();
    const tail = new Events(testTransport(server, runtime), runtime).tail({ signal: controller.signal });
    expect(await tail[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  test("ends without an error when its signal aborts during a wait", async () => {
    const controller = new AbortController();
    await using server = await apiServer(page([], "p1"));
    const runtime = testRuntime({ sleep: async () => controller.abort() });
    const tail = new Events(testTransport(server, runtime), runtime).tail({ signal: controller.signal });
    expect(await tail[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });
});
