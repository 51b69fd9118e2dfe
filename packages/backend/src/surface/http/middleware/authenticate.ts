import { AppError, type Scope } from "@patchbay/shared";
import type { MiddlewareHandler } from "hono";
import { createHash, timingSafeEqual } from "node:crypto";
import type { ApiCaller } from "../../../domain/workspaces/index.ts";
import type { Secret } from "../../../platform/runtime/index.ts";
import type { HttpEnv } from "../env.ts";

/** Lets a workspace's API key in that has `scope`. */
export function requireApiKey(
  deps: { readonly authenticate: (key: string) => Promise<ApiCaller | null> },
  scope: Scope,
): MiddlewareHandler<HttpEnv> {
  return async function requireApiKey(c, next) {
    const token = bearer(c.req.header("authorization"));
    if (token === null) {
      throw new AppError("unauthenticated", "send your API key in the header: Authorization: Bearer pb_…");
    }
    const caller = await deps.authenticate(token);
    if (caller === null)
      throw new AppError("unauthenticated", "this API key is not valid: unknown, revoked or expired");
    if (!caller.scopes.includes(scope)) {
      throw new AppError("insufficient_scope", `this API key may not do this; it needs the scope ${scope}`);
    }
    c.set("caller", caller);
    c.set("log", c.get("log").with({ workspaceId: caller.workspaceId, keyId: caller.keyId }));
    await next();
  };
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
