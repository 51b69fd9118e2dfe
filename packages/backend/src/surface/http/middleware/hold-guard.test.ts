import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../platform/observability/index.ts";
import type { HttpEnv } from "../env.ts";
import { answerProblem } from "../problem.ts";
import { holdGuard } from "./hold-guard.ts";

describe("while a restore waits for its operator", () => {
  test.each([
    ["GET", "/v1/tenants"],
    ["GET", "/v1/tenants/acme/records/order"],
    ["OPTIONS", "/connect/v1/authorizations"],
    ["POST", "/in/shopify/source"],
    ["POST", "/admin/v1/restore/confirm"],
    ["DELETE", "/v1/tenants/acme"],
  ])("%s %s is let through", async (method, path) => {
    expect((await anApp(true).request(path, { method })).status).toBe(200);
  });

  test.each([
    ["PUT", "/v1/tenants/acme"],
    ["POST", "/v1/connections/conn_x/runs"],
    ["POST", "/v1/connections/conn_x/test"],
    ["DELETE", "/v1/connections/conn_x"],
    ["DELETE", "/v1/tenants/acme/anything"],
    ["POST", "/connect/v1/authorizations"],
  ])("%s %s is told to come again, and let through once it is confirmed", async (method, path) => {
    const refused = await anApp(true).request(path, { method });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(await refused.json()).toMatchObject({ code: "restore_unconfirmed", retriable: true });
    expect((await anApp(false).request(path, { method })).status).toBe(200);
  });
});

function anApp(held: boolean): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    c.set("log", silentLogger);
    await next();
  });
  app.use(holdGuard(() => held));
  app.onError(answerProblem);
  app.all("*", (c) => c.text("done"));
  return app;
}
