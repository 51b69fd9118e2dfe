import { AppError } from "@patchbay/shared";
import { and, eq, isNull, sql } from "drizzle-orm";
import type { MiddlewareHandler } from "hono";
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Vault } from "../../../domain/vault/index.ts";
import { idempotencyKeys } from "../../../domain/workspaces/index.ts";
import { NIL_UUID, type WithWorkspace } from "../../../platform/db/index.ts";
import type { Clock } from "../../../platform/runtime/index.ts";
import type { HttpEnv } from "../env.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** A request that never finished (its process died) is forgotten after this long. */
const IN_FLIGHT_MS_MAX = 60_000;
/** The key may be given up between our two looks at it this often. */
const CLAIMS_MAX = 3;
const Stored = z.object({ status: z.int(), type: z.string().nullable(), body: z.string() });

/**
 * A POST with an `Idempotency-Key` happens once: the same key and body again gets the stored answer.
 *
 * Another body or another API key: 422. Still running: 409. Kept 24 hours at least; answers are sealed, since some hold secrets.
 */
export function idempotency(deps: Deps): MiddlewareHandler<HttpEnv> {
  return async function idempotency(c, next) {
    const key = c.req.header("idempotency-key");
    if (c.req.method !== "POST" || key === undefined) return next();
    if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
      throw new AppError("invalid_request", "Idempotency-Key must be 1 to 128 visible ASCII characters");
    }
    const { workspaceId, keyId } = c.get("caller");
    // With the API key: an answer may hold a secret that another key of the workspace could not have asked for.
    const requestHash = createHash("sha256")
      .update(`${keyId} ${c.req.method} ${pathAndQuery(c.req.url)}\n${await c.req.text()}`)
      .digest();
    const sealer = await deps.vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "secret" });
    const place = { table: "idempotency_keys", rowId: key, column: "response", rowVersion: 1 };
    const claimedAt = deps.clock.now();
    // Not another request's that took the key over meanwhile.
    const mine = and(
      eq(idempotencyKeys.workspaceId, workspaceId),
      eq(idempotencyKeys.key, key),
      eq(idempotencyKeys.createdAt, claimedAt),
      isNull(idempotencyKeys.response),
    );

    const existing = await claim(deps, { workspaceId, key, requestHash, createdAt: claimedAt });
    if (existing !== null) {
      if (Buffer.compare(existing.requestHash, requestHash) !== 0) {
        throw new AppError(
          "idempotency_key_reused",
          "this Idempotency-Key was used with another request; take a new one",
        );
      }
      if (existing.response === null) {
        throw new AppError("request_in_flight", "the request with this Idempotency-Key is still running", {
          retryAfterSeconds: 1,
        });
      }
      const opened = await deps.vault.open(workspaceId, place, existing.response);
      const stored = Stored.parse(JSON.parse(Buffer.from(opened).toString()));
      return new Response(stored.body === "" ? null : stored.body, {
        status: stored.status,
        headers: { ...(stored.type === null ? {} : { "content-type": stored.type }), "idempotent-replayed": "true" },
      });
    }

    await next();
    if (c.res.status >= 500 || c.res.status === 429) {
      await deps.withWorkspace(workspaceId, (tx) => tx.delete(idempotencyKeys).where(mine));
      return undefined;
    }
    const answer = { status: c.res.status, type: c.res.headers.get("content-type"), body: await c.res.clone().text() };
    await deps.withWorkspace(workspaceId, (tx) =>
      tx
        .update(idempotencyKeys)
        .set({ status: answer.status, response: sealer.seal(place, Buffer.from(JSON.stringify(answer))) })
        .where(mine),
    );
    return undefined;
  };
}

/** Takes the key; or gives the request that has it. */
async function claim(
  deps: Deps,
  input: {
    readonly workspaceId: HttpEnv["Variables"]["caller"]["workspaceId"];
    readonly key: string;
    readonly requestHash: Uint8Array;
    readonly createdAt: Date;
  },
): Promise<typeof idempotencyKeys.$inferSelect | null> {
  const { createdAt, requestHash } = input;
  const abandoned = new Date(createdAt.getTime() - IN_FLIGHT_MS_MAX);
  for (let tries = 1; tries <= CLAIMS_MAX; tries++) {
    const found = await deps.withWorkspace(input.workspaceId, async (tx) => {
      const taken = await tx
        .insert(idempotencyKeys)
        .values(input)
        .onConflictDoUpdate({
          target: [idempotencyKeys.workspaceId, idempotencyKeys.key],
          set: { requestHash, createdAt },
          setWhere: sql`${idempotencyKeys.response} is null and ${idempotencyKeys.createdAt} < ${abandoned.toISOString()}::timestamptz`,
        })
        .returning({ key: idempotencyKeys.key });
      if (taken.length > 0) return null;
      const theirs = and(eq(idempotencyKeys.workspaceId, input.workspaceId), eq(idempotencyKeys.key, input.key));
      const [row] = await tx.select().from(idempotencyKeys).where(theirs);
      return row ?? "given up";
    });
    if (found !== "given up") return found;
  }
  throw new AppError("request_in_flight", "another request gives this Idempotency-Key up just now; try again", {
    retryAfterSeconds: 1,
  });
}

function pathAndQuery(address: string): string {
  const { pathname, search } = new URL(address);
  return pathname + search;
}
