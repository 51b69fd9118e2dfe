import type { TenantUid } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { AuditWriter } from "../../domain/audit/index.ts";
import { grants, orphanTokenPairs } from "../../domain/connections/index.ts";
import { NIL_UUID, type Tx } from "../../platform/db/index.ts";
import type { CredentialsDeps, GrantTarget } from "./deps.ts";
import { enterGrant } from "./enter-grant.ts";
import { lockGrant, ofGrant } from "./load-grant.ts";
import { grantKeySpec } from "./token-pair.ts";

/**
 * Destroys a grant's tokens and the key that sealed them, in the caller's transaction, which has made sure that no
 * live connection hangs on it. The row stays for the connections that did.
 *
 * @param log of the workspace: that it ended is entered at once, so little may follow
 * @returns false when it had ended before
 */
export async function endGrant(deps: CredentialsDeps, tx: Tx, log: AuditWriter, target: GrantTarget): Promise<boolean> {
  const seen = await lockGrant(tx, target);
  if (seen === null || seen.row.state === "ended") return false;
  const { row } = seen;
  await tx
    .update(grants)
    .set({
      state: "ended",
      ownerTenantUid: NIL_UUID as TenantUid,
      tokens: null,
      previousTokens: null,
      fence: row.fence + 1,
      leaseUntil: null,
      attemptId: null,
      askedAt: null,
      keepAliveAt: null,
      refreshAt: null,
      rotateAt: null,
      certificateEndsAt: null,
      accessExpiresAt: null,
      refreshExpiresAt: null,
      updatedAt: deps.clock.now(),
    })
    .where(ofGrant(target));
  await tx
    .delete(orphanTokenPairs)
    .where(and(eq(orphanTokenPairs.workspaceId, target.workspaceId), eq(orphanTokenPairs.grantId, target.grantId)));
  const { workspaceId, purpose, scope } = grantKeySpec(target.workspaceId, target.grantId);
  await deps.vault.destroyKeys(tx, { workspaceId, purpose, ...(scope === undefined ? {} : { scope }) });
  await enterGrant(log, tx, target, {
    action: "grant.ended",
    details: { provider: row.provider, authMethod: row.authMethod },
  });
  return true;
}
