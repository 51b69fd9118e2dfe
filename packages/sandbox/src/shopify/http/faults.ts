import type { Context, MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Env } from "./env.ts";

const MAX_LATENCY_MS = 60_000;

/** Makes the provider's own routes slow, broken or silent, as the store's switches say. */
export const faults: MiddlewareHandler<Env> = async (c, next) => {
  const { switches } = c.get("shop");
  const eachWayMs = Math.min(switches.latencyMs, MAX_LATENCY_MS) / 2;
  await pause(eachWayMs);
  if (switches.dropNext > 0) {
    switches.dropNext--;
    c.env.incoming?.socket.destroy();
    return c.body(null, 502);
  }
  if (switches.failNext.count > 0) {
    switches.failNext.count--;
    return failure(c, switches.failNext.status);
  }
  await next();
  // Half on the way back: what changes meanwhile is not in the answer.
  await pause(eachWayMs);
  return undefined;
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

async function pause(milliseconds: number): Promise<void> {
  if (milliseconds === 0) return;
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
