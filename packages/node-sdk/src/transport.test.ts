import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  ApiAbortError,
  ApiConnectionError,
  ApiError,
  ApiTimeoutError,
  BadRequestError,
  ConflictError,
  NotFoundError,
  PatchbayError,
  RateLimitError,
  ServerError,
} from "./errors.ts";
import { apiServer, hangUp, json, problem, silence, testRuntime, testTransport } from "./testing/api-server.ts";

const GET = { method: "GET", path: ["runs", "run_1"] } as const;
const POST = { method: "POST", path: ["runs", "run_1", "cancel"], body: { why: "ü" } } as const;

describe("a request", () => {
  test("carries the key, the encoded path, the query without what is undefined, and the body as JSON", async () => {
    await using server = await apiServer(json({ ok: true }));
    const query = { a: "x y", b: true, c: undefined, d: null, at: new Date(0), n: 3 };
    await testTransport(server).request({ method: "POST", path: ["tenants", "a/b c"], query, body: { name: "Ä" } });
    const [request] = server.requests;
    expect(request).toMatchObject({
      method: "POST",
      url: "/v1/tenants/a%2Fb%20c?a=x+y&b=true&at=1970-01-01T00%3A00%3A00.000Z&n=3",
      body: '{"name":"Ä"}',
      headers: {
        authorization: "Bearer pb_test_key",
        "content-type": "application/json",
        "user-agent": expect.stringMatching(/^patchbay-node\/\d/),
      },
    });
  });

  test.each(["", ".", ".."])("refuses %j as an id, which would name another route", async (id) => {
    await using server = await apiServer(json({}));
    const answer = testTransport(server).request({ method: "GET", path: ["tenants", id] });
    await expect(answer).rejects.toThrow(PatchbayError);
    expect(server.requests).toHaveLength(0);
  });

  test("gives undefined for an answer without a body", async () => {
    await using server = await apiServer((_request, response) => response.writeHead(204).end());
    expect(await testTransport(server).request(GET)).toBeUndefined();
  });

  test("gives status, headers and request id with withResponse()", async () => {
    await using server = await apiServer(json({ id: "run_1" }, 201, { "x-more": "1" }));
    const response = await testTransport(server).request(GET).withResponse();
    expect(response).toMatchObject({ data: { id: "run_1" }, status: 201, requestId: "req_1" });
    expect(response.headers.get("x-more")).toBe("1");
  });

  test("leaves no unhandled rejection when only withResponse() is awaited", async () => {
    await using server = await apiServer(problem(404, "run_not_found", false));
    await expect(testTransport(server).request(GET).withResponse()).rejects.toThrow(NotFoundError);
  });

  test("does not follow redirects, which would take the key elsewhere", async () => {
    await using elsewhere = await apiServer(json({}));
    await using server = await apiServer((_request, response) =>
      response.writeHead(302, { location: elsewhere.baseUrl }).end(),
    );
    await expect(testTransport(server).request(GET)).rejects.toMatchObject({ status: 302, code: "unexpected_answer" });
    expect(elsewhere.requests).toHaveLength(0);
  });

  test("does not show the key when the transport is printed", async () => {
    await using server = await apiServer(json({}));
    expect(inspect(testTransport(server), { depth: 9 })).not.toContain("pb_test_key");
  });
});

describe("an error answer", () => {
  test.each([
    [400, BadRequestError],
    [404, NotFoundError],
    [409, ConflictError],
    [410, ApiError],
    [429, RateLimitError],
    [500, ServerError],
    [599, ServerError],
  ])("of status %i has a class of its own", async (status, Class) => {
    await using server = await apiServer(problem(status, "some_code", false));
    const error = await testTransport(server)
      .request(GET)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Class);
    expect(error).toMatchObject({ status, code: "some_code", message: "detail of some_code", requestId: "req_9" });
  });

  test("tells the fields that were refused and leaves out what is malformed", async () => {
    const errors = [{ path: "body.url", message: "not a URL" }, { path: 7 }, "x"];
    await using server = await apiServer(problem(400, "invalid_request", false, { errors }));
    const error = await testTransport(server)
      .request(GET)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ errors: [{ path: "body.url", message: "not a URL" }], retriable: false });
  });

  test("from something else than Patchbay still has status and request id", async () => {
    await using server = await apiServer((_request, response) =>
      response.writeHead(403, { "x-request-id": "req_lb" }).end("<h1>Forbidden</h1>"),
    );
    const error = await testTransport(server)
      .request(GET)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 403, code: "unexpected_answer", requestId: "req_lb" });
  });

  test("is thrown for a success that is not JSON", async () => {
    await using server = await apiServer((_request, response) => response.end("<html>"));
    await expect(testTransport(server).request(GET)).rejects.toMatchObject({ status: 200, code: "unexpected_answer" });
  });
});

describe("retries", () => {
  test.each([
    ["a closed connection", hangUp],
    ["408", json(null, 408)],
    ["409 request_in_flight", problem(409, "request_in_flight", true)],
    ["429", problem(429, "rate_limited", true)],
    ["500", json(null, 500)],
    ["503", problem(503, "overloaded", true)],
  ])("repeat after %s, with growing waits", async (_name, failure) => {
    await using server = await apiServer(failure, failure, json({ id: "run_1" }));
    const runtime = testRuntime();
    expect(await testTransport(server, runtime).request(GET)).toEqual({ id: "run_1" });
    expect(runtime.sleeps).toEqual([250, 500]);
  });

  test.each([
    ["400", problem(400, "invalid_request", false)],
    ["409 of another kind", problem(409, "connection_paused", false)],
    ["422", problem(422, "plan_limit", false)],
    ["502 that says it will not get better", problem(502, "provider_error", false)],
  ])("do not happen after %s", async (_name, failure) => {
    await using server = await apiServer(failure);
    await expect(testTransport(server).request(GET)).rejects.toThrow(ApiError);
    expect(server.requests).toHaveLength(1);
  });

  test("end after maxRetries with the last error", async () => {
    await using server = await apiServer(problem(503, "overloaded", true));
    await expect(testTransport(server).request(GET)).rejects.toMatchObject({ code: "overloaded" });
    expect(server.requests).toHaveLength(3);
  });

  test("are as many as the call says", async () => {
    await using server = await apiServer(problem(503, "overloaded", true));
    await expect(testTransport(server).request({ ...GET, options: { maxRetries: 0 } })).rejects.toThrow(ServerError);
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ["seconds", { "retry-after": "7" }],
    ["a date", { "retry-after": "Thu, 01 Jan 2026 00:00:07 GMT" }],
  ])("wait as long as Retry-After says in %s", async (_name, headers) => {
    await using server = await apiServer(json(null, 429, headers), json({}));
    const runtime = testRuntime();
    await testTransport(server, runtime).request(GET);
    expect(runtime.sleeps).toEqual([7000]);
  });

  test("leave a wait of more than a minute to the caller", async () => {
    await using server = await apiServer(problem(429, "rate_limited", true, { retryAfterSeconds: 61 }));
    const runtime = testRuntime();
    await expect(testTransport(server, runtime).request(GET)).rejects.toMatchObject({ retryAfterSeconds: 61 });
    expect(runtime.sleeps).toEqual([]);
  });

  test("repeat a change under one idempotency key, and another change under another", async () => {
    await using server = await apiServer(hangUp, hangUp, json({}));
    const transport = testTransport(server);
    await transport.request(POST);
    await transport.request(POST);
    const keys = server.requests.map((request) => request.headers["idempotency-key"]);
    expect(keys).toEqual(["uuid-1", "uuid-1", "uuid-1", "uuid-2"]);
    expect(server.requests.map((request) => request.body)).toEqual(Array(4).fill('{"why":"ü"}'));
  });

  test("use the caller's idempotency key, and none for reads", async () => {
    await using server = await apiServer(json({}));
    const transport = testTransport(server);
    await transport.request({ ...POST, options: { idempotencyKey: "mine" } });
    await transport.request(GET);
    expect(server.requests.map((request) => request.headers["idempotency-key"])).toEqual(["mine", undefined]);
  });
});

describe("deadlines and aborts", () => {
  test("a try without an answer in time is repeated, then ends in ApiTimeoutError", async () => {
    await using server = await apiServer(silence);
    const asked: number[] = [];
    const deadline = (ms: number) => {
      asked.push(ms);
      return AbortSignal.timeout(1);
    };
    const answer = testTransport(server, testRuntime({ deadline })).request({ ...GET, options: { timeoutMs: 1234 } });
    await expect(answer).rejects.toThrow(new ApiTimeoutError("no answer within 1234 ms"));
    expect(asked).toEqual([1234, 1234, 1234]);
  });

  test("an abort ends the call at once and is not repeated", async () => {
    const controller = new AbortController();
    await using server = await apiServer(() => controller.abort());
    const answer = testTransport(server).request({ ...GET, options: { signal: controller.signal } });
    await expect(answer).rejects.toThrow(ApiAbortError);
    expect(server.requests).toHaveLength(1);
  });

  test("an abort between tries ends the call", async () => {
    const controller = new AbortController();
    await using server = await apiServer(hangUp);
    const runtime = testRuntime({ sleep: async () => controller.abort() });
    const answer = testTransport(server, runtime).request({ ...GET, options: { signal: controller.signal } });
    await expect(answer).rejects.toThrow(ApiAbortError);
    expect(server.requests).toHaveLength(1);
  });

  test("an answer cut off in the middle of its body counts as no answer", async () => {
    await using server = await apiServer(
      (_request, response) => {
        response.writeHead(200, { "content-length": "100" }).write("{");
        response.destroy();
      },
      json({ id: "run_1" }),
    );
    expect(await testTransport(server).request(GET)).toEqual({ id: "run_1" });
  });

  test("a refused connection names host and reason", async () => {
    const server = await apiServer(json({}));
    await server[Symbol.asyncDispose]();
    const error = await testTransport(server)
      .request(GET)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiConnectionError);
    expect(error).toMatchObject({ message: `could not reach ${server.baseUrl}: ECONNREFUSED`, retriable: true });
  });
});
