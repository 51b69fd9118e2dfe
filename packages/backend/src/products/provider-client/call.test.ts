import type { GrantId, WorkspaceId } from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import { connectors, type ProviderRequest } from "../../connectors/index.ts";
import type { EgressRequest, EgressResult } from "../../platform/egress/index.ts";
import type { Logger, LogFields } from "../../platform/observability/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import { createProviderClient, type CallOptions } from "./index.ts";

const TARGET = { workspaceId: "w" as WorkspaceId, grantId: "g" as GrantId };
const READ: ProviderRequest = {
  method: "POST",
  path: "/graphql.json",
  body: { query: "{shop{id}}" },
  idempotent: true,
  cost: 1,
};
const WRITE: ProviderRequest = { ...READ, idempotent: false };
const INTERACTIVE: CallOptions = { priority: "interactive" };

const fine = json(200, { data: { shop: { id: "1" } } });
const throttled = json(200, {
  errors: [{ message: "Throttled", extensions: { code: "THROTTLED" } }],
  extensions: {
    cost: {
      requestedQueryCost: 100,
      actualQueryCost: null,
      throttleStatus: { maximumAvailable: 2_000, currentlyAvailable: 50, restoreRate: 100 },
    },
  },
});
const silent: EgressResult = { ok: false, problem: "timeout", sent: true };
const refused: EgressResult = { ok: false, problem: "connection_refused", sent: false };

describe("a call", () => {
  test("carries the token, the version and our name, and comes back with digits intact", async () => {
    const world = aWorld([json(200, `{"data":{"id":820982911946154508}}`)]);
    const outcome = await world.client.call(TARGET, READ, INTERACTIVE);
    expect(outcome).toMatchObject({ ok: true, response: { body: { data: { id: "820982911946154508" } } } });
    expect(world.sent[0]).toMatchObject({
      url: "https://acme-goods.myshopify.com/admin/api/2026-10/graphql.json",
      method: "POST",
      headers: { "x-shopify-access-token": "token 1", "content-type": "application/json" },
      exemptOrigins: [],
      requireHttps: true,
    });
  });

  test("goes to the sandbox only from a test workspace and to an origin that the operator named", async () => {
    const override = "http://localhost:4403/_shops/{shop}";
    for (const [mode, sandboxOrigins, exempt] of [
      ["test", ["http://localhost:4403"], ["http://localhost:4403"]],
      ["test", ["http://localhost:9999"], []],
      ["live", ["http://localhost:4403"], []],
    ] as const) {
      const world = aWorld([fine], { mode, sandboxOrigins, override });
      await world.client.call(TARGET, READ, INTERACTIVE);
      expect(world.sent[0]?.url).toBe(
        "http://localhost:4403/_shops/acme-goods.myshopify.com/admin/api/2026-10/graphql.json",
      );
      expect(world.sent[0]?.exemptOrigins).toEqual(exempt);
    }
  });

  test("after a 401 refreshes once and goes on with the new token", async () => {
    const world = aWorld([json(401, {}), fine]);
    expect(await world.client.call(TARGET, READ, INTERACTIVE)).toMatchObject({ ok: true });
    expect(world.sent.map((request) => request.headers["x-shopify-access-token"])).toEqual(["token 1", "token 2"]);
  });

  test("that is refused with a fresh token too, though the account is told, is refused, and no scope is blamed", async () => {
    const world = aWorld([json(401, {}), json(401, {}), fine, json(401, {})]);
    const refused = { ok: false, fault: { kind: "refused" }, outcome: "failed" };
    expect(await world.client.call(TARGET, WRITE, INTERACTIVE)).toMatchObject(refused);
    expect(world.sent).toHaveLength(3);
    expect(world.condemned).toEqual([]);
  });

  test("that no fresh token opens says so once it has been so for a minute, and refreshes no more until then", async () => {
    const world = aWorld([json(401, {})]);
    const call = () => world.client.call(TARGET, READ, INTERACTIVE);
    expect(await call()).toMatchObject({ fault: { kind: "unavailable" } });
    expect(world.sent).toHaveLength(3);
    expect(await call()).toMatchObject({ fault: { kind: "unavailable" } });
    expect(world.sent).toHaveLength(4);
    expect(world.condemned).toEqual([]);
    world.pass(61_000);
    expect(await call()).toMatchObject({ fault: { kind: "reauthorize" } });
    expect(world.condemned).toEqual([2]);
  });

  test.each([
    [500, 5],
    [502, 5],
    [503, 5],
    [400, 1],
    [403, 1],
    [404, 1],
    [422, 1],
  ])("that is answered %i is made %i times when it may be repeated, and once when not", async (status, attempts) => {
    const again = aWorld([json(status, {})]);
    expect(await again.client.call(TARGET, READ, INTERACTIVE)).toMatchObject({ ok: false, outcome: "failed" });
    expect(again.sent).toHaveLength(attempts);
    const once = aWorld([json(status, {})]);
    const outcome = await once.client.call(TARGET, WRITE, INTERACTIVE);
    expect(outcome).toMatchObject({ ok: false, outcome: status >= 500 ? "uncertain" : "failed" });
    expect(once.sent).toHaveLength(1);
  });

  test("that met silence is asked about once, and a write is uncertain", async () => {
    const read = aWorld([silent]);
    expect(await read.client.call(TARGET, READ, INTERACTIVE)).toMatchObject({ fault: { kind: "unavailable" } });
    expect(read.sent).toHaveLength(2);
    const write = aWorld([silent]);
    expect(await write.client.call(TARGET, WRITE, INTERACTIVE)).toMatchObject({ outcome: "uncertain" });
    expect(write.sent).toHaveLength(1);
  });

  test("that never left is made again, also a write", async () => {
    const world = aWorld([refused, refused, fine]);
    expect(await world.client.call(TARGET, WRITE, INTERACTIVE)).toMatchObject({ ok: true });
  });

  test("that is throttled waits for what the provider needs, and is made again, also a write", async () => {
    const world = aWorld([throttled, fine]);
    expect(await world.client.call(TARGET, { ...WRITE, cost: 100 }, INTERACTIVE)).toMatchObject({ ok: true });
    expect(world.slept()).toBeGreaterThanOrEqual(500);
  });

  test("that would wait beyond its deadline is given back with the time to wait", async () => {
    const world = aWorld([json(429, {}, { "retry-after": "60" })]);
    const outcome = await world.client.call(TARGET, READ, INTERACTIVE);
    expect(outcome).toMatchObject({ ok: false, fault: { kind: "rate_limited", retryAfterSeconds: 60 } });
    expect(world.sent).toHaveLength(1);
    expect(world.slept()).toBe(0);
  });

  test("whose answer is cut asked for too much", async () => {
    const world = aWorld([{ ok: true, status: 200, headers: {}, body: Buffer.from("{"), truncated: true }]);
    expect(await world.client.call(TARGET, READ, INTERACTIVE)).toMatchObject({ fault: { kind: "too_large" } });
  });

  test("is not made without a token, and says why", async () => {
    for (const problem of ["reauthorize", "unavailable"] as const) {
      const world = aWorld([fine], { problem });
      expect(await world.client.call(TARGET, READ, INTERACTIVE)).toMatchObject({ ok: false, fault: { kind: problem } });
      expect(world.sent).toHaveLength(0);
    }
  });

  test("does not wait for a token beyond its deadline, nor after a 401", async () => {
    const first = aWorld([fine], { never: "accessToken" });
    const options: CallOptions = { ...INTERACTIVE, deadlineMs: 20 };
    expect(await first.client.call(TARGET, READ, options)).toMatchObject({ ok: false, fault: { kind: "unavailable" } });
    expect(first.sent).toHaveLength(0);
    const second = aWorld([json(401, {}), fine], { never: "refreshAfter401" });
    expect(await second.client.call(TARGET, READ, options)).toMatchObject({ fault: { kind: "unavailable" } });
    expect(second.sent).toHaveLength(1);
  });

  test("is not made while the provider is down for everybody", async () => {
    const world = aWorld([json(503, {})]);
    for (let call = 0; call < 4; call++) await world.client.call(TARGET, READ, INTERACTIVE);
    expect(world.sent).toHaveLength(20);
    expect(await world.client.call(TARGET, READ, INTERACTIVE)).toMatchObject({ fault: { kind: "unavailable" } });
    expect(world.sent).toHaveLength(20);
  });

  test("is one line in the log, without what was sent or answered", async () => {
    const world = aWorld([json(502, {}), json(200, { data: { secret: "s3" } }, { "x-request-id": "req-1" })]);
    await world.client.call(
      TARGET,
      { ...READ, body: { operationName: "Orders", query: "s1", variables: "s2" } },
      INTERACTIVE,
    );
    expect(world.lines).toHaveLength(1);
    expect(world.lines[0]).toMatchObject({
      provider: "shopify",
      operation: "Orders",
      status: 200,
      attempts: 2,
      requestId: "req-1",
    });
    expect(JSON.stringify(world.lines)).not.toMatch(/s1|s2|s3|token/);
  });
});

const NEVER = new Promise<never>(() => {});

/** A client whose network answers as told, the last answer for ever, and whose time passes by sleeping alone. */
function aWorld(
  answers: readonly EgressResult[],
  given: {
    readonly mode?: "live" | "test";
    readonly override?: string;
    readonly sandboxOrigins?: readonly string[];
    readonly problem?: "reauthorize" | "unavailable";
    /** What does not come to an end. */
    readonly never?: "accessToken" | "refreshAfter401";
  } = {},
) {
  const sent: EgressRequest[] = [];
  const lines: LogFields[] = [];
  const condemned: number[] = [];
  const log: Logger = {
    debug() {},
    info: (fields) => void lines.push(fields),
    warn() {},
    error() {},
    with: () => log,
  };
  const start = Date.parse("2026-10-01T00:00:00Z");
  let now = start;
  const access = (version: number) =>
    given.problem === undefined
      ? { token: new Secret(`token ${version}`), rowVersion: version }
      : { problem: given.problem };
  const client = createProviderClient({
    credentials: {
      refreshAfter401: async (_target, seen) => (given.never === "refreshAfter401" ? NEVER : access(seen + 1)),
      condemn: async (_target, seen) => void condemned.push(seen),
      startCall: async () => ({
        facts: {
          grantId: TARGET.grantId,
          provider: "shopify",
          authMethod: "oauth2",
          providerAppId: "a" as never,
          params: { shop: "acme-goods.myshopify.com" },
          accountId: "1",
          mode: given.mode ?? "live",
          baseUrlOverride: given.override ?? null,
        },
        access: async () => (given.never === "accessToken" ? NEVER : access(1)),
      }),
    },
    egress: {
      request: async (request) => {
        sent.push(request);
        return answers[Math.min(sent.length, answers.length) - 1] ?? silent;
      },
    },
    connectors: Object.fromEntries(connectors.map((connector) => [connector.id, connector])),
    sandboxOrigins: given.sandboxOrigins ?? [],
    clock: { now: () => new Date(now) },
    random: () => 0.5,
    log,
    sleep: async (ms) => void (now += ms),
  });
  return { client, sent, lines, condemned, slept: () => now - start, pass: (ms: number) => void (now += ms) };
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): EgressResult {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { ok: true, status, headers, body: Buffer.from(text), truncated: false };
}
