import { AppError } from "@patchbay/shared";
import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "../env.ts";

const RETRY_SECONDS = 60;

/**
 * While a restore waits for its operator, hosts and their customers may look but not change anything: it would be lost
 * if another backup had to be taken. Erasing is let through, webhooks have a door of their own.
 */
export function holdGuard(isHeld: () => boolean): MiddlewareHandler<HttpEnv> {
  return async function holdGuard(c, next) {
    if (!isHeld() || READS.has(c.req.method) || !CHANGED.test(c.req.path) || isErasure(c.req.method, c.req.path)) {
      return next();
    }
    throw new AppError(
      "restore_unconfirmed",
      "this installation was restored from a backup and waits for its operator; nothing is changed until then",
      { retryAfterSeconds: RETRY_SECONDS },
    );
  };
}

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
const CHANGED = /^\/(?:v1|connect)\//;

function isErasure(method: string, path: string): boolean {
  return method === "DELETE" && /^\/v1\/tenants\/[^/]+$/.test(path);
}
