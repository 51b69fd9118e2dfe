import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shopify } from "../../connectors/shopify/index.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { systemClock } from "../../platform/runtime/index.ts";
import { createGrantKit } from "../credentials/testing/grant-kit.ts";
import { createProviderClient } from "./client.ts";

const CALLS = 200;

/** An account whose API takes `access_1` alone, which its token endpoint gives for `refresh_0`. */
const seen = { tokenCalls: 0, apiCalls: 0, refusals: 0 };
const server = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  if (request.url?.endsWith("/oauth/access_token") === true) {
    seen.tokenCalls += 1;
    response.end(JSON.stringify({ access_token: "access_1", refresh_token: "refresh_1", expires_in: 3600 }));
    return;
  }
  seen.apiCalls += 1;
  if (request.headers["x-shopify-access-token"] === "access_1") {
    response.end(JSON.stringify({ data: { shop: {} } }));
    return;
  }
  seen.refusals += 1;
  response.writeHead(401).end("{}");
});
let kit: Awaited<ReturnType<typeof createGrantKit>>;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  kit = await createGrantKit(`http://127.0.0.1:${address.port}`);
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

test("O8: two hundred calls that meet a 401 in flight cost one token call, and none of them fails", async () => {
  const target = await kit.aGrant();
  const clients = await Promise.all(
    [1, 2].map(async () => {
      const { credentials } = await kit.aProcess();
      return createProviderClient({
        credentials,
        egress: kit.egress,
        connectors: { shopify },
        sandboxOrigins: [kit.origin],
        clock: systemClock,
        random: Math.random,
        log: silentLogger,
        sleep: (ms, signal) => sleep(ms, undefined, { signal }),
      });
    }),
  );
  const request = { ...shopify.identity.request(), cost: 1 };
  const outcomes = await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: CALLS / clients.length }, () =>
        client.call(target, request, { priority: "interactive", deadlineMs: 25_000 }),
      ),
    ),
  );
  expect(outcomes).toHaveLength(CALLS);
  expect(outcomes.filter(({ ok }) => !ok)).toEqual([]);
  expect(seen.tokenCalls).toBe(1);
  expect(seen.refusals).toBeGreaterThan(1);
  process.stdout.write(`O8 401 in flight: ${CALLS} calls, ${JSON.stringify(seen)}\n`);
});
