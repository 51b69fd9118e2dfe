import { describe, expect, test } from "vitest";
import { AuthenticationError } from "./errors.ts";
import type { StreamEventsParams } from "./event-stream.ts";
import { Events } from "./resources/events.ts";
import { Records } from "./resources/records.ts";
import { type Answer, type ApiServer, apiServer, problem, testRuntime, testTransport } from "./testing/api-server.ts";

/** Sends `chunks` as one stream, then ends it, or breaks it off. */
function streamed(chunks: readonly string[], end: "end" | "break" = "end"): Answer {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const chunk of chunks) response.write(chunk);
    if (end === "end") response.end();
    else setImmediate(() => response.destroy());
  };
}
const event = (n: number) => `id: c${n}\nevent: order.created\ndata: {"id":"evt_${n}"}\n\n`;

async function take(server: ApiServer, count: number, params: StreamEventsParams = {}) {
  const runtime = testRuntime();
  const stream = new Events(testTransport(server, runtime), runtime).stream(params);
  const seen: string[] = [];
  for await (const { id } of stream) {
    seen.push(id);
    if (seen.length === count) break;
  }
  return { seen, cursor: stream.cursor, sleeps: runtime.sleeps };
}

describe("the stream of the feed", () => {
  test("gives events as they come, however the bytes are cut", async () => {
    const text = `: hello\n\n${event(1)}id: c9\n\n${event(2)}`;
    await using server = await apiServer(streamed(text.split("")));
    expect((await take(server, 2, { from: "start", tenantId: "acme" })).seen).toEqual(["evt_1", "evt_2"]);
    expect(server.requests[0]?.url).toBe("/v1/events/stream?tenantId=acme&from=start");
    expect(server.requests[0]?.headers.accept).toBe("text/event-stream");
  });

  test("comes again behind the last event when the connection ends or breaks", async () => {
    await using server = await apiServer(
      streamed([event(1)]),
      streamed([event(2)], "break"),
      streamed([event(3), "id: c7\n\n"]),
      streamed([event(8)]),
    );
    const { seen, sleeps } = await take(server, 4);
    expect(seen).toEqual(["evt_1", "evt_2", "evt_3", "evt_8"]);
    expect(server.requests.map((request) => request.headers["last-event-id"])).toEqual([undefined, "c1", "c2", "c7"]);
    // Only what broke is waited for.
    expect(sleeps).toEqual([500]);
  });

  test("an event that was cut in the middle is not given", async () => {
    await using server = await apiServer(streamed([event(1), 'id: c2\ndata: {"id":'], "break"), streamed([event(2)]));
    const { seen } = await take(server, 2);
    expect(seen).toEqual(["evt_1", "evt_2"]);
    expect(server.requests[1]?.headers["last-event-id"]).toBe("c1");
  });

  test("waits longer from failure to failure, and gives up after failuresMax", async () => {
    await using server = await apiServer(problem(503, "overloaded", true));
    const runtime = testRuntime();
    const stream = new Events(testTransport(server, runtime), runtime).stream({ failuresMax: 3 });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "overloaded" });
    expect(runtime.sleeps).toEqual([500, 1000, 2000]);
  });

  test("throws at once what coming again cannot mend", async () => {
    await using server = await apiServer(problem(401, "unauthenticated", false));
    await expect(take(server, 1)).rejects.toThrow(AuthenticationError);
  });

  test("a silent connection counts as lost", async () => {
    const silent = new AbortController();
    await using server = await apiServer(
      (_request, response) => {
        response.writeHead(200);
        response.write(": hello\n\n", () => silent.abort());
      },
      streamed([event(1)]),
    );
    const runtime = testRuntime({ deadline: (ms) => (ms === 30_000 ? silent.signal : new AbortController().signal) });
    const failures: unknown[] = [];
    const stream = new Events(testTransport(server, runtime), runtime).stream({
      failuresMax: 1,
      onFailure: (error) => failures.push(error),
    });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow("nothing came for 30000 ms");
    expect(failures).toHaveLength(1);
  });

  test("ends without an error when its signal aborts", async () => {
    const controller = new AbortController();
    await using server = await apiServer((_request, response) => {
      response.writeHead(200);
      response.write(event(1));
    });
    const runtime = testRuntime();
    const seen: string[] = [];
    for await (const { id } of new Events(testTransport(server, runtime), runtime).stream({
      signal: controller.signal,
    })) {
      seen.push(id);
      controller.abort();
    }
    expect(seen).toEqual(["evt_1"]);
  });
});

describe("an export", () => {
  const records = (server: ApiServer) => new Records(testTransport(server)).export("acme", "order", { expand: "raw" });

  test("gives record after record", async () => {
    await using server = await apiServer(streamed(['{"id":"ord_1"}\n{"id":', '"ord_2"}\n']));
    const seen: string[] = [];
    for await (const record of records(server)) seen.push(record.id);
    expect(seen).toEqual(["ord_1", "ord_2"]);
    expect(server.requests[0]?.url).toBe("/v1/tenants/acme/records/order/export?expand=raw");
  });

  test("throws when the connection breaks off, so that a part is not taken for the whole", async () => {
    await using server = await apiServer(streamed(['{"id":"ord_1"}\n'], "break"));
    const read = async () => {
      for await (const _ of records(server));
    };
    await expect(read()).rejects.toThrow("broke off");
  });
});
