import { AppError } from "@patchbay/shared";
import type { MiddlewareHandler } from "hono";
import type { SessionContext } from "../../../products/connect/index.ts";
import type { HttpEnv } from "../env.ts";
import { bearer } from "./authenticate.ts";

/** Browsers ask again after this long. */
const PREFLIGHT_SECONDS = 7_200;

/**
 * Lets the widget in: a session token, from one of the origins that the session was minted for. Only then the answer
 * may be read by that page. No cookies are involved anywhere under `/connect`.
 */
export function connectGuard(deps: {
  readonly authenticateSession: (token: string, origin: string | null) => Promise<SessionContext>;
}): MiddlewareHandler<HttpEnv> {
  return async function connectGuard(c, next) {
    const token = bearer(c.req.header("authorization"));
    if (token === null) throw new AppError("unauthenticated", "send the session token as Authorization: Bearer cst_…");
    const origin = c.req.header("origin") ?? null;
    const session = await deps.authenticateSession(token, origin);
    c.set("session", session);
    c.set("log", c.get("log").with({ workspaceId: session.workspaceId, sessionId: session.sessionId }));
    await next();
  };
}

/**
 * CORS of `/connect/v1`. A preflight carries no token, so it tells nothing and is answered to every origin; what counts
 * is the session's own list, checked by the guard. Refusals stay readable, so that the widget can say what is wrong.
 */
export const connectCors: MiddlewareHandler<HttpEnv> = async function connectCors(c, next) {
  const origin = c.req.header("origin");
  if (c.req.method === "OPTIONS") {
    return c.body(null, 204, {
      ...(origin === undefined ? {} : { "access-control-allow-origin": origin }),
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-allow-headers": "authorization, content-type",
      "access-control-max-age": String(PREFLIGHT_SECONDS),
      vary: "Origin",
    });
  }
  await next();
  if (origin !== undefined) {
    c.res.headers.set("access-control-allow-origin", origin);
    c.res.headers.set("access-control-expose-headers", "x-request-id, retry-after");
  }
  c.res.headers.append("vary", "Origin");
  return undefined;
};
