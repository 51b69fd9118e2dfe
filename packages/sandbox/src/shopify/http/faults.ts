import type { Context, MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Env } from "./env.ts";

const MAX_LATENCY_MS = 60_000;

/** Makes the provider's own routes slow, broken or silent, as the store's switches say. */
export const faults: MiddlewareHandler<Env> = async (c, next) => {
  const { switches } = c.get("shop");
  if (switches.latencyMs > 0) await pause(Math.min(switches.latencyMs, MAX_LATENCY_MS));
  if (switches.dropNext > 0) {
    switches.dropNext--;
    c.env.incoming?.socket.destroy();
    return c.body(null, 502);
  }
  if (switches.failNext.count > 0) {
    switches.failNext.count--;
    return failure(c, switches.failNext.status);
  }
  return next();
};

function failure(c: Context<Env>, status: ContentfulStatusCode) {
  if (status === 429) {
    c.header("Retry-After", "2.0");
    return c.json(
      { errors: "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service." },
      429,
    );
  }
  return c.html("<!doctype html><title>Something went wrong</title><p>Something went wrong.</p>", status);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
