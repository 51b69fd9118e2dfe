import { AppError, type Scope } from "@patchbay/shared";
import type { MiddlewareHandler } from "hono";
import { createHash, timingSafeEqual } from "node:crypto";
import { parseApiKey, type ApiCaller } from "../../../domain/workspaces/index.ts";
import type { Secret } from "../../../platform/runtime/index.ts";
import type { HttpEnv } from "../env.ts";
import type { FailedAttempts } from "../failed-attempts.ts";

export interface Authentication {
  readonly authenticate: (key: string, address: string | null) => Promise<ApiCaller | null>;
  readonly failedAttempts: FailedAttempts;
}

/** Lets a workspace's API key in that has `scope`. */
export function requireApiKey(deps: Authentication, scope: Scope): MiddlewareHandler<HttpEnv> {
  return async function requireApiKey(c, next) {
    const token = bearer(c.req.header("authorization"));
    if (token === null) {
      throw new AppError("unauthenticated", "send your API key in the header: Authorization: Bearer pb_…");
    }
    const address = c.get("clientAddress");
    const caller = deps.failedAttempts.isKnown(token) ? null : await deps.authenticate(token, address);
    if (caller === null) throw refusal(deps.failedAttempts, token, address);
    if (!caller.scopes.includes(scope)) {
      throw new AppError("insufficient_scope", `this API key may not do this; it needs the scope ${scope}`);
    }
    c.set("caller", caller);
    c.set("log", c.get("log").with({ workspaceId: caller.workspaceId, keyId: caller.keyId }));
    await next();
  };
}

/** What cannot be a key costs nothing and tells nothing: it is not counted. */
function refusal(failedAttempts: FailedAttempts, token: string, address: string | null): AppError {
  const publicId = parseApiKey(token)?.publicId ?? null;
  const waitSeconds = publicId === null ? null : failedAttempts.count(token, { publicId, address });
  return waitSeconds === null
    ? new AppError("unauthenticated", "this API key is not valid: unknown, revoked or expired")
    : new AppError("rate_limited", "too many API keys that are not valid", { retryAfterSeconds: waitSeconds });
}

/** Lets the operator in. */
export function requireOperator(operatorToken: Secret): MiddlewareHandler<HttpEnv> {
  return async function requireOperator(c, next) {
    const token = bearer(c.req.header("authorization"));
    if (token === null || !sameText(token, operatorToken.reveal())) {
      throw new AppError("unauthenticated", "send the operator token in the header: Authorization: Bearer …");
    }
    await next();
  };
}

export function bearer(header: string | undefined): string | null {
  const match = /^bearer +([A-Za-z0-9_.~+/=-]{1,300})$/i.exec(header ?? "");
  return match?.[1] ?? null;
}

/** Constant time, whatever the lengths. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
