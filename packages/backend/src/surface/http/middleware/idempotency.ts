import { AppError } from "@patchbay/shared";
import { and, eq, sql } from "drizzle-orm";
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
const Stored = z.object({ status: z.int(), type: z.string().nullable(), body: z.string() });

/**
 * A POST with an `Idempotency-Key` happens once: the same key and body again gets the stored answer.
 *
 * Another body: 422. Still running: 409. Kept 24 hours at least; answers are sealed, since some hold secrets.
 */
export function idempotency(deps: Deps): MiddlewareHandler<HttpEnv> {
  return async function idempotency(c, next) {
    const key = c.req.header("idempotency-key");
    if (c.req.method !== "POST" || key === undefined) return next();
    if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
      throw new AppError("invalid_request", "Idempotency-Key must be 1 to 128 visible ASCII characters");
    }
    const { workspaceId } = c.get("caller");
    const requestHash = createHash("sha256")
      .update(`${c.req.method} ${new URL(c.req.url).pathname}\n${await c.req.text()}`)
      .digest();
    const sealer = await deps.vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "secret" });
    const place = { table: "idempotency_keys", rowId: key, column: "response", rowVersion: 1 };
    const mine = and(eq(idempotencyKeys.workspaceId, workspaceId), eq(idempotencyKeys.key, key));

    const existing = await claim(deps, { workspaceId, key, requestHash });
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
  input: { workspaceId: HttpEnv["Variables"]["caller"]["workspaceId"]; key: string; requestHash: Uint8Array },
) {
  const now = deps.clock.now();
  const abandoned = new Date(now.getTime() - IN_FLIGHT_MS_MAX);
  return deps.withWorkspace(input.workspaceId, async (tx) => {
    const mine = and(eq(idempotencyKeys.workspaceId, input.workspaceId), eq(idempotencyKeys.key, input.key));
    const taken = await tx
      .insert(idempotencyKeys)
      .values({ ...input, createdAt: now })
      .onConflictDoUpdate({
        target: [idempotencyKeys.workspaceId, idempotencyKeys.key],
        set: { requestHash: input.requestHash, createdAt: now },
        setWhere: sql`${idempotencyKeys.response} is null and ${idempotencyKeys.createdAt} < ${abandoned.toISOString()}::timestamptz`,
      })
      .returning({ key: idempotencyKeys.key });
    if (taken.length > 0) return null;
    const [row] = await tx.select().from(idempotencyKeys).where(mine);
    return row ?? null;
  });
}
