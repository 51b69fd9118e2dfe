import { and, eq, inArray } from "drizzle-orm";
import { grants, orphanTokenPairs } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import { deadForGoodSince, type OrphanRow } from "./claim-refresh.ts";
import type { Access, CredentialsDeps } from "./deps.ts";
import { lockGrant, ofGrant, type GrantRow } from "./load-grant.ts";
import { refreshInstant } from "./plan-refresh.ts";
import {
  grantKeySpec,
  openSecret,
  orphanPlace,
  previousTokensPlace,
  sealSecret,
  tokensPlace,
  type DerivedToken,
  type TokenPair,
} from "./token-pair.ts";

/** After trouble on the way, nobody asks again before. */
const RETRY_AFTER_MS = 10_000;

/**
 * Writes the new pair, if the claim still holds; only then it may be used. Else somebody else has refreshed or is at
 * it: the pair is kept as an orphan, and revives the grant when that somebody was refused.
 */
export async function commitPair(
  deps: CredentialsDeps,
  claimed: GrantRow,
  pair: TokenPair | DerivedToken,
  issuedAt: Date,
): Promise<Access | "overtaken"> {
  const target = targetOf(claimed);
  const sealer = await deps.vault.sealer(grantKeySpec(claimed.workspaceId, claimed.id));
  const former =
    claimed.tokens === null
      ? null
      : await openSecret(deps.vault, claimed.workspaceId, tokensPlace(claimed.id, claimed.rowVersion), claimed.tokens);
  return deps.withWorkspace(claimed.workspaceId, async (tx) => {
    const row = await lockGrant(tx, target);
    if (row === null || row.state === "ended") return { problem: "reauthorize" };
    const ours = row.state === "refreshing" && row.fence === claimed.fence;
    if (!ours && row.state !== "dead") {
      const id = newId<string>();
      const tokens = sealSecret(sealer, orphanPlace(id), pair);
      await tx
        .insert(orphanTokenPairs)
        .values({ workspaceId: row.workspaceId, id, grantId: row.id, tokens, createdAt: deps.clock.now() });
      return "overtaken";
    }
    const rowVersion = row.rowVersion + 1;
    await tx
      .update(grants)
      .set({
        tokens: sealSecret(sealer, tokensPlace(row.id, rowVersion), pair),
        previousTokens: former === null ? null : sealSecret(sealer, previousTokensPlace(row.id, rowVersion), former),
        rowVersion,
        state: "active",
        deadSince: null,
        leaseUntil: null,
        attemptId: null,
        accessExpiresAt: pair.accessExpiresAt,
        refreshAt: refreshInstant(issuedAt, pair, deps.random),
        refreshExpiresAt: pair.kind === "tokens" ? pair.refreshExpiresAt : null,
        updatedAt: deps.clock.now(),
      })
      .where(ofGrant(target));
    await deleteOrphans(tx, row);
    return { token: pair.accessToken, rowVersion };
  });
}

/** @param lost nobody knows whether the provider carried the request out: the next claim tries orphans too */
export async function markUnavailable(
  deps: CredentialsDeps,
  claimed: GrantRow,
  lost: boolean,
): Promise<Access | "overtaken"> {
  const now = deps.clock.now();
  return deps.withWorkspace(claimed.workspaceId, async (tx) => {
    if (!(await holds(tx, claimed))) return "overtaken";
    await endClaim(tx, deps, claimed, {
      state: lost ? "uncertain" : "active",
      refreshAt: new Date(now.getTime() + RETRY_AFTER_MS),
    });
    return { problem: "unavailable" };
  });
}

/**
 * Every pair was refused. One that has come since the claim is tried before the grant is given up.
 *
 * @param how.provisional a late pair may still come; else nothing can revive the grant and the host is told at once
 */
export async function markDead(
  deps: CredentialsDeps,
  claim: { readonly row: GrantRow; readonly orphans: readonly OrphanRow[] },
  how: { readonly provisional: boolean },
): Promise<Access | "overtaken"> {
  const { row } = claim;
  const now = deps.clock.now();
  const dead = await deps.withWorkspace(row.workspaceId, async (tx) => {
    if (!(await holds(tx, row))) return false;
    await deleteOrphans(
      tx,
      row,
      claim.orphans.map((orphan) => orphan.id),
    );
    const [untried] = await tx.select().from(orphanTokenPairs).where(orphansOf(row)).limit(1);
    if (untried !== undefined) {
      await endClaim(tx, deps, row, { state: "uncertain" });
      return false;
    }
    await endClaim(tx, deps, row, { state: "dead", deadSince: how.provisional ? now : deadForGoodSince(now) });
    return true;
  });
  if (!dead) return "overtaken";
  if (how.provisional) return { problem: "unavailable" };
  await deps.onGrantDead(targetOf(row));
  return { problem: "reauthorize" };
}

/** Whether the claim still holds; the row is locked until the end of the transaction. */
async function holds(tx: Tx, claimed: GrantRow): Promise<boolean> {
  const row = await lockGrant(tx, targetOf(claimed));
  return row !== null && row.state === "refreshing" && row.fence === claimed.fence;
}

async function endClaim(
  tx: Tx,
  deps: CredentialsDeps,
  claimed: GrantRow,
  changes: Partial<typeof grants.$inferInsert>,
): Promise<void> {
  await tx
    .update(grants)
    .set({ ...changes, leaseUntil: null, attemptId: null, updatedAt: deps.clock.now() })
    .where(ofGrant(targetOf(claimed)));
}

async function deleteOrphans(tx: Tx, row: GrantRow, only?: readonly string[]): Promise<void> {
  const which = only === undefined ? undefined : inArray(orphanTokenPairs.id, [...only]);
  await tx.delete(orphanTokenPairs).where(and(orphansOf(row), which));
}

function orphansOf(row: GrantRow) {
  return and(eq(orphanTokenPairs.workspaceId, row.workspaceId), eq(orphanTokenPairs.grantId, row.id));
}

function targetOf(row: GrantRow) {
  return { workspaceId: row.workspaceId, grantId: row.id };
}
