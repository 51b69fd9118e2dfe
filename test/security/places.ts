import type { AuditEntry } from "@patchbay/node";
import type { TestProduct } from "../harness/product.ts";
import { jsonOf, send, withKey, type Call } from "./http.ts";
import type { Side, TenantSide } from "./world.ts";

/** One place of one route where somebody else's id can sit. */
export interface Place {
  /** `path.id`, `query.cursor`, `body.tenantId` … */
  readonly at: string;
  /** What the owner has there. */
  readonly theirs: (owner: Owner) => string | Promise<string>;
  /** A value that nobody has; default: the owner's with other last characters. */
  readonly unknown?: string;
  /** The request with `id` in that place, everything else the caller's own. */
  readonly call: (id: string, caller: Side) => Omit<Call, "method">;
  /** The call makes something, wherever the id points: ids and times of the answer are new. */
  readonly makes?: true;
}

/** Whose things are asked for. */
export interface Owner {
  readonly product: Pick<TestProduct, "url">;
  readonly side: Side;
  readonly tenant: TenantSide;
}

/** The owner's own cursor behind its first row. */
export const cursorOf =
  (path: string | ((owner: Owner) => string), name = "nextCursor") =>
  async (owner: Owner) => {
    const base = typeof path === "string" ? path : path(owner);
    const headers = withKey(owner.side.apiKey);
    const cursor = jsonOf(await send(owner.product, { method: "GET", path: `${base}?limit=1`, headers }))[name];
    if (typeof cursor !== "string") throw new Error(`${base} has no second page`);
    return cursor;
  };
export const inPath =
  (before: string, after = "", body?: unknown) =>
  (id: string) => ({
    path: `${before}${encodeURIComponent(id)}${after}`,
    ...(body === undefined ? {} : { body }),
  });
export const inQuery = (path: string, name: string) => (id: string) => ({
  path: `${path}${path.includes("?") ? "" : "?"}${name}=${encodeURIComponent(id)}`,
});
/** What an entry of the owner's audit log says of its request by an API key. */
export const ofAudit = (pick: (entry: AuditEntry) => string | null) => async (owner: Owner) => {
  const { sdk } = owner.side;
  for await (const entry of sdk.audit.list({ actorKind: "api_key" })) {
    const found = pick(entry);
    if (found !== null) return found;
  }
  throw new Error("the audit log has no such entry");
};
