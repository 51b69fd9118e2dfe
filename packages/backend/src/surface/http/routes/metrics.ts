import type { Hono } from "hono";
import type { Metrics } from "../../../platform/observability/index.ts";
import type { Secret } from "../../../platform/runtime/index.ts";
import type { HttpEnv } from "../env.ts";
import { requireOperator } from "../middleware/authenticate.ts";

/** `GET /metrics`: what this process counts, in the text form that Prometheus reads. */
export function mountMetrics(
  app: Hono<HttpEnv>,
  deps: { readonly metrics: Metrics; readonly operatorToken: Secret },
): void {
  app.get("/metrics", requireOperator(deps.operatorToken), async (c) => {
    const { body, contentType } = await deps.metrics.text();
    return c.body(body, 200, { "content-type": contentType, "cache-control": "no-store" });
  });
}
