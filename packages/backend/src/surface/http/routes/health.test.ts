import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { KeyProviderError, type KeyHealth } from "../../../domain/vault/index.ts";
import { silentLogger } from "../../../platform/observability/index.ts";
import type { HttpEnv } from "../env.ts";
import { answerProblem } from "../problem.ts";
import { mountHealth } from "./health.ts";

describe("/readyz", () => {
  test.each<[string, KeyHealth, number, string]>([
    ["is ready while keys can be used", { local: "ok" }, 200, "ok"],
    ["V10: stays ready, and says so, while a key service gives no answer", { "aws-kms": "unreachable" }, 200, "ok"],
    ["V10: is not ready when access was withdrawn", { "aws-kms": "denied", local: "ok" }, 503, "keys cannot be used"],
    ["is not ready with a wrong key", { "gcp-kms": "wrong" }, 503, "keys cannot be used"],
  ])("%s", async (_, keys, status, text) => {
    const response = await anApp(async () => keys).request("/readyz");
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ status: text, keys });
  });
});

test("/readyz stays ready, and says so, while a restore waits for its operator", async () => {
  const response = await anApp(async () => ({ local: "ok" }), true).request("/readyz");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "held after a restore", keys: { local: "ok" } });
});

test("V10: a request that needs a key that cannot be had is told to come again", async () => {
  const app = anApp(async () => ({}));
  app.get("/needs-a-key", () => {
    throw new KeyProviderError("aws-kms", "unreachable", "TimeoutError");
  });
  const response = await app.request("/needs-a-key");
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("30");
  const problem = await response.text();
  expect(JSON.parse(problem)).toMatchObject({ code: "keys_unavailable", retriable: true });
  expect(problem).not.toContain("aws");
});

function anApp(keyHealth: () => Promise<KeyHealth>, held = false): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    c.set("log", silentLogger);
    await next();
  });
  app.onError(answerProblem);
  mountHealth(app, { ping: async () => {}, keyHealth, draining: () => false, isHeld: () => held });
  return app;
}
