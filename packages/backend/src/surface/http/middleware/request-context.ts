import type { Context, MiddlewareHandler } from "hono";
import { randomUUID } from "node:crypto";
import type { Logger } from "../../../platform/observability/index.ts";
import type { HttpEnv } from "../env.ts";

/** Paths whose requests are not worth a line each. */
const QUIET = /^\/(livez|readyz|metrics|embed\/)/;

/** Gives each request an id, a logger bound to it, and one wide log line when it is answered. */
export function requestContext(deps: {
  readonly log: Logger;
  readonly clientAddress: (c: Context<HttpEnv>) => string | null;
}): MiddlewareHandler<HttpEnv> {
  return async function requestContext(c, next) {
    const requestId = `req_${randomUUID().replaceAll("-", "")}`;
    const log = deps.log.with({ requestId });
    c.set("requestId", requestId);
    c.set("clientAddress", deps.clientAddress(c));
    c.set("log", log);
    const startedMs = performance.now();
    await next();
    c.res.headers.set("x-request-id", requestId);
    if (QUIET.test(c.req.path)) return;
    log.info(
      {
        method: c.req.method,
        route: c.req.routePath,
        status: c.res.status,
        durationMs: Math.round((performance.now() - startedMs) * 10) / 10,
      },
      "request",
    );
  };
}
