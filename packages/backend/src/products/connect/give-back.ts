import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, gt, inArray, lt, ne, notExists, sql } from "drizzle-orm";
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
  const provider = await deps.withWorkspace(target.workspaceId, (tx) => unusedProvider(tx, deps, target));
  if (provider === null) return;
  const disconnect = deps.connectors[provider]?.disconnect ?? null;
  if (disconnect !== null) {
    const outcome = await deps.client.call(target, disconnect.request(), {
      priority: "interactive",
      deadlineMs: DEADLINE_MS,
    });
    if (!outcome.ok && RETRIABLE.has(outcome.fault.kind)) {
      deps.log.warn({ ...target, provider, fault: outcome.fault.kind }, "grant not given back yet");
      return;
    }
  }
  await deps.withWorkspace(target.workspaceId, async (tx) => {
    // Somebody may have connected the account while the provider was told.
    if ((await unusedProvider(tx, deps, target)) !== null) await deps.credentials.endGrant(tx, target);
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

/** Between the storing of a grant and of the authorization that points to it. */
const SETTLING_MS = 60_000;

/** Faults after which the provider may still hold the grant for good. Others say that it is gone already. */
const RETRIABLE: ReadonlySet<string> = new Set(["unavailable", "rate_limited"]);

/** The provider of a grant that nobody uses; `null` otherwise. The row is locked until the end of the transaction. */
export async function unusedProvider(tx: Tx, deps: ConnectDeps, target: GrantTarget): Promise<string | null> {
  const [row] = await tx
    .select({ provider: grants.provider })
    .from(grants)
    .where(and(eq(grants.workspaceId, target.workspaceId), eq(grants.id, target.grantId), ne(grants.state, "ended")))
    .for("update");
  if (row === undefined) return null;
  const [unused] = await tx
    .select({ id: grants.id })
    .from(grants)
    .where(and(eq(grants.workspaceId, target.workspaceId), eq(grants.id, target.grantId), ...nobodyUses(tx, deps)));
  return unused === undefined ? null : row.provider;
}

/** No live connection hangs on it, and no authorization that may still become one. */
function nobodyUses(tx: Tx, deps: ConnectDeps) {
  const live = tx
    .select({ one: sql`1` })
    .from(connections)
    .where(
      and(
        eq(connections.workspaceId, grants.workspaceId),
        eq(connections.grantId, grants.id),
        inArray(connections.status, [...LIVE_STATUSES, "pending"]),
      ),
    );
  const pending = tx
    .select({ one: sql`1` })
    .from(authorizations)
    .where(
      and(
        eq(authorizations.workspaceId, grants.workspaceId),
        eq(authorizations.grantId, grants.id),
        inArray(authorizations.status, ["exchanged", "confirmed"]),
        gt(authorizations.expiresAt, deps.clock.now()),
      ),
    );
  return [notExists(live), notExists(pending)];
}
