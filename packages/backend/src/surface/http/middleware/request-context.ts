import type { Context, MiddlewareHandler } from "hono";
import { randomUUID } from "node:crypto";
import type { Logger } from "../../../platform/observability/index.ts";
import type { HttpEnv } from "../env.ts";

/** Paths whose requests are not worth a line each. */
const QUIET = /^\/(livez|readyz|metrics|embed\/)/;

/** What is counted of a request. `route` is its pattern, never its path. */
export interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** Gives each request an id, a logger bound to it, and one wide log line when it is answered. */
export function requestContext(deps: {
  readonly log: Logger;
  readonly clientAddress: (c: Context<HttpEnv>) => string | null;
  readonly onAnswered: (answered: Answered) => void;
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
    const { method, routePath: route } = c.req;
    const { status } = c.res;
    const durationMs = performance.now() - startedMs;
    deps.onAnswered({ method, route, status, seconds: durationMs / 1_000 });
    log.info({ method, route, status, durationMs: Math.round(durationMs * 10) / 10 }, "request");
  };
}
