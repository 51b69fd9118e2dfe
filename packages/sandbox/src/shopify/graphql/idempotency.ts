import { createHash } from "node:crypto";
import { type GraphQLResolveInfo, getDirectiveValues } from "graphql";
import { badRequest } from "./connections.ts";
import type { Ctx } from "./context.ts";

const KEY_LIFE_MS = 24 * 3_600_000;
const MAX_KEYS = 1000;
/** First version in which the directive is required. */
const REQUIRED_SINCE = "2026-04";

export type Attempt =
  | { readonly kind: "fresh"; readonly remember: (resultId: bigint) => void }
  | { readonly kind: "mismatch" }
  | { readonly kind: "replay"; readonly resultId: bigint };

/** Reads `@idempotent(key:)` of the mutation field and finds out whether this was asked before. */
export function idempotentAttempt(ctx: Ctx, info: GraphQLResolveInfo, input: unknown): Attempt {
  const key = keyOf(info);
  if (key === null && ctx.apiVersion >= REQUIRED_SINCE) {
    throw badRequest(`The @idempotent directive is required for the ${info.fieldName} mutation but was not provided.`);
  }
  if (key === null) return { kind: "fresh", remember: () => undefined };
  if (key.trim() === "") throw badRequest("The idempotency key can't be blank.");
  const store = ctx.shop.idempotency;
  const now = ctx.world.clock.now();
  const name = `${ctx.install.clientId} ${info.fieldName} ${key}`;
  const fingerprint = createHash("sha256").update(JSON.stringify(input)).digest("hex");
  const earlier = store.get(name);
  if (earlier && now.getTime() - earlier.at.getTime() < KEY_LIFE_MS) {
    return earlier.fingerprint === fingerprint ? { kind: "replay", resultId: earlier.resultId } : { kind: "mismatch" };
  }
  const remember = (resultId: bigint) => {
    store.delete(name);
    store.set(name, { fingerprint, resultId, at: now });
    const [oldest] = store.keys();
    if (store.size > MAX_KEYS && oldest !== undefined) store.delete(oldest);
  };
  return { kind: "fresh", remember };
}

function keyOf(info: GraphQLResolveInfo): string | null {
  const directive = info.schema.getDirective("idempotent");
  const [node] = info.fieldNodes;
  const key: unknown =
    directive && node ? getDirectiveValues(directive, node, info.variableValues)?.["key"] : undefined;
  return typeof key === "string" ? key : null;
}
