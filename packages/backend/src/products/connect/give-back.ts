import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, gt, inArray, lt, ne, notExists, or, sql } from "drizzle-orm";
import { LIVE_STATUSES, connections, grants } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { GrantTarget } from "../credentials/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { authorizations } from "./tables.ts";

const DEADLINE_MS = 10_000;
/** Grants in one sweep; the next goes on. */
const GRANTS_MAX = 50;

/**
 * Tells the provider that we want no more access, and destroys the tokens, unless somebody still needs the grant.
 * When the provider cannot be told now, the tokens stay for the next sweep to try again. Looks at the whole workspace,
 * whoever asks: within one tenant's scope a grant that others use would look unused.
 */
export async function giveBack(deps: ConnectDeps, target: GrantTarget): Promise<void> {
  const unused = await deps.withWorkspace(target.workspaceId, (tx) => unusedGrant(tx, deps, target));
  if (unused === null) return;
  const { provider, handedOverAt, authMethod } = unused;
  const disconnect = deps.connectors[provider]?.disconnect ?? null;
  // What the host took over is the host's: it would lose its access there.
  // Nor do we end what people made themselves and pasted: their own app or key.
  if (disconnect !== null && handedOverAt === null && authMethod === "oauth2") {
    const outcome = await deps.client.call(target, disconnect.request(), {
      priority: "interactive",
      deadlineMs: DEADLINE_MS,
    });
    if (!outcome.ok && RETRIABLE.has(outcome.fault.kind)) {
      deps.log.warn({ ...target, provider, fault: outcome.fault.kind }, "grant not given back yet");
      return;
    }
  }
  if (handedOverAt === null && (await deps.credentials.revokeTokens(target)) === "unavailable") {
    deps.log.warn({ ...target, provider }, "tokens not revoked yet");
    return;
  }
  const log = await deps.audit.writer(target.workspaceId);
  await deps.withWorkspace(target.workspaceId, async (tx) => {
    // Somebody may have connected the account while the provider was told.
    if ((await unusedGrant(tx, deps, target)) !== null) await deps.credentials.endGrant(tx, log, target);
  });
}

/** Gives back what nobody uses: after a disconnect that could not reach the provider, an authorization left lying. */
export async function giveBackUnused(deps: ConnectDeps, workspaceId: WorkspaceId): Promise<void> {
  const before = new Date(deps.clock.now().getTime() - SETTLING_MS);
  const unused = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ id: grants.id })
      .from(grants)
      .where(
        and(
          eq(grants.workspaceId, workspaceId),
          ne(grants.state, "ended"),
          lt(grants.updatedAt, before),
          ...nobodyUses(tx, deps),
        ),
      )
      .limit(GRANTS_MAX),
  );
  for (const { id } of unused) await giveBack(deps, { workspaceId, grantId: id });
}

/** Whether any grant may be given back sooner or later: no live connection hangs on it. */
export async function hasUnusedGrants(tx: Tx, workspaceId: WorkspaceId): Promise<boolean> {
  const mine = and(eq(grants.workspaceId, workspaceId), ne(grants.state, "ended"), notExists(liveConnections(tx)));
  const [unused] = await tx.select({ id: grants.id }).from(grants).where(mine).limit(1);
  return unused !== undefined;
}

/** Between the storing of a grant and of the authorization that points to it. */
const SETTLING_MS = 60_000;

/** Faults after which the provider may still hold the grant for good. Others say that it is gone already. */
const RETRIABLE: ReadonlySet<string> = new Set(["unavailable", "rate_limited"]);

/** A grant that nobody uses; `null` otherwise. The row is locked until the end of the transaction. */
export async function unusedGrant(
  tx: Tx,
  deps: ConnectDeps,
  target: GrantTarget,
): Promise<Pick<typeof grants.$inferSelect, "provider" | "handedOverAt" | "authMethod"> | null> {
  const [row] = await tx
    .select({ provider: grants.provider, handedOverAt: grants.handedOverAt, authMethod: grants.authMethod })
    .from(grants)
    .where(and(eq(grants.workspaceId, target.workspaceId), eq(grants.id, target.grantId), ne(grants.state, "ended")))
    .for("update");
  if (row === undefined) return null;
  const [unused] = await tx
    .select({ id: grants.id })
    .from(grants)
    .where(and(eq(grants.workspaceId, target.workspaceId), eq(grants.id, target.grantId), ...nobodyUses(tx, deps)));
  return unused === undefined ? null : row;
}

/**
 * No live connection hangs on it, and no authorization that may still become one. One whose person is at the provider
 * right now has no grant yet, and must not lose what it is about to be given: it is counted by its parameters.
 */
function nobodyUses(tx: Tx, deps: ConnectDeps) {
  const open = tx
    .select({ one: sql`1` })
    .from(authorizations)
    .where(
      and(
        eq(authorizations.workspaceId, grants.workspaceId),
        gt(authorizations.expiresAt, deps.clock.now()),
        or(
          and(eq(authorizations.grantId, grants.id), inArray(authorizations.status, ["exchanged", "confirmed"])),
          and(
            eq(authorizations.status, "started"),
            eq(authorizations.provider, grants.provider),
            eq(authorizations.params, grants.params),
            // Without parameters nobody knows yet which account it is about.
            sql`${grants.params} <> '{}'::jsonb`,
          ),
        ),
      ),
    );
  return [notExists(liveConnections(tx)), notExists(open)];
}

/** Of the grant that the query around it looks at. */
function liveConnections(tx: Tx) {
  return tx
    .select({ one: sql`1` })
    .from(connections)
    .where(
      and(
        eq(connections.workspaceId, grants.workspaceId),
        eq(connections.grantId, grants.id),
        inArray(connections.status, [...LIVE_STATUSES, "pending"]),
      ),
    );
}
