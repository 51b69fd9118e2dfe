import { AppError } from "@patchbay/shared";
import { Hono, type MiddlewareHandler } from "hono";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock, Secret } from "../../platform/runtime/index.ts";
import { auditRequest, isAudited, type RequestAuditDeps } from "./audit-request.ts";
import { createClientAddress } from "./client-address.ts";
import type { Audience, Route, RouteSpec } from "./define-route.ts";
import type { HttpEnv } from "./env.ts";
import { createFailedAttempts } from "./failed-attempts.ts";
import { requireApiKey, requireOperator, type Authentication } from "./middleware/authenticate.ts";
import { addressGuard, bodyGuard } from "./middleware/body-guard.ts";
import { holdGuard } from "./middleware/hold-guard.ts";
import { requestContext, type Answered } from "./middleware/request-context.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import { openApiDocument } from "./openapi.ts";
import { answerProblem, problemResponse } from "./problem.ts";
import { mountDocs, mountEmbed } from "./routes/docs.ts";

export interface AppDeps extends RequestAuditDeps, Pick<Authentication, "authenticate"> {
  /** Counts requests. */
  readonly onAnswered?: (answered: Answered) => void;
  readonly log: Logger;
  readonly clock: Clock;
  readonly operatorToken: Secret;
  readonly idempotency: MiddlewareHandler<HttpEnv>;
  /** CORS and authentication of the widget's routes. */
  readonly connectGuard: MiddlewareHandler<HttpEnv>;
  readonly routes: readonly { readonly audience: Audience; readonly route: Route }[];
  /** Doors without a row in the table: inbox, OAuth pages, console, health. */
  readonly mounts: readonly ((app: Hono<HttpEnv>) => void)[];
  readonly publicUrl: string;
  /** Networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly version: string;
  /** A restore waits for its operator. */
  readonly isHeld?: () => boolean;
}

/** Every route of the product, and what stands before them. */
export function createApp(deps: AppDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  const clientAddress = createClientAddress(deps.trustedProxies);
  app.use(
    requestContext({ log: deps.log, clientAddress, onAnswered: deps.onAnswered ?? (() => {}) }),
    securityHeaders(deps),
    addressGuard,
    holdGuard(deps.isHeld ?? (() => false)),
  );
  app.onError((error, c) => answerProblem(error, c));
  app.notFound((c) => {
    const allowed = METHODS.filter((method) => isServed(app, method, c.req.path));
    if (allowed.length === 0) {
      const detail = `nothing is at ${c.req.method} ${c.req.path}; see /docs for what is`;
      return problemResponse(c, new AppError("not_found", detail));
    }
    const detail = `${c.req.path} does not take ${c.req.method}, but ${allowed.join(", ")}`;
    const response = problemResponse(c, new AppError("method_not_allowed", detail));
    response.headers.set("allow", allowed.join(", "));
    return response;
  });
  for (const mount of deps.mounts) mount(app);
  mountEmbed(app);
  const table = deps.routes.map(({ audience, route }) => ({ audience, spec: route.spec }));
  mountDocs(app, { document: () => openApiDocument(table, { serverUrl: deps.publicUrl, version: deps.version }) });
  const authentication = { authenticate: deps.authenticate, failedAttempts: createFailedAttempts(deps.clock) };
  for (const { audience, route } of deps.routes) {
    const around = isAudited(audience, route.spec) ? auditRequest(deps, audience, route.spec) : undefined;
    route.mount(app, guardsOf({ ...deps, ...authentication }, audience, route.spec), around);
  }
  return app;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Whether a route takes `method` at `path`; middleware for all methods is no route. */
function isServed(app: Hono<HttpEnv>, method: string, path: string): boolean {
  return app.router.match(method, path)[0].some(([[, route]]) => route.method === method);
}

function guardsOf(
  deps: AppDeps & Authentication,
  audience: Audience,
  spec: RouteSpec,
): readonly MiddlewareHandler<HttpEnv>[] {
  switch (audience) {
    case "api":
      if (spec.scope === null) throw new Error(`${spec.path} is for API keys and names no scope`);
      return [requireApiKey(deps, spec.scope), bodyGuard, deps.idempotency];
    case "admin":
      return [requireOperator(deps.operatorToken), bodyGuard];
    case "connect":
      return [deps.connectGuard, bodyGuard];
    case "public":
      return [bodyGuard];
  }
}
