import type { GrantId } from "@patchbay/shared";
import { and, eq, inArray, isNotNull } from "drizzle-orm";
import { grants } from "../../domain/connections/index.ts";
import { deleteRows, sumRows, type ErasedTenant, type ForgetTenant, type Tx } from "../../platform/db/index.ts";
import type { GrantTarget } from "../credentials/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { BURNT } from "./end-authorization.ts";
import { giveBack, unusedGrant } from "./give-back.ts";
import { OPEN_STATUSES } from "./load-authorization.ts";
import { authorizations, connectSessions } from "./tables.ts";

/**
 * Cuts short what end users of a tenant that is being erased have begun: whatever a browser or a provider still
 * brings finds nothing to finish. Sessions need no such care: they die with the tenant.
 */
export async function endAuthorizationsOfTenant(tx: Tx, tenant: ErasedTenant): Promise<void> {
  await tx
    .update(authorizations)
    .set({ status: "canceled", ...BURNT })
    .where(and(ofTenant(tenant), inArray(authorizations.status, [...OPEN_STATUSES])));
}

/** Grants that authorizations of a tenant came to. */
export async function grantsOfAuthorizations(tx: Tx, tenant: ErasedTenant): Promise<readonly GrantId[]> {
  const rows = await tx
    .selectDistinct({ id: authorizations.grantId })
    .from(authorizations)
    .where(and(ofTenant(tenant), isNotNull(authorizations.grantId)));
  return rows.flatMap((row) => row.id ?? []);
}

/**
 * What became of a grant that an erased tenant used. `shared`: somebody else uses it. `kept`: the provider cannot be
 * told now. `untold`: destroyed although it could not be told.
 */
export type ReturnedGrant = "destroyed" | "shared" | "kept" | "untold";

/**
 * Gives a grant back at the provider and destroys it, unless somebody else uses it.
 *
 * @param anyway destroys it even if the provider cannot be told
 */
export async function returnGrant(deps: ConnectDeps, target: GrantTarget, anyway: boolean): Promise<ReturnedGrant> {
  await giveBack(deps, target);
  const log = await deps.audit.writer(target.workspaceId);
  return deps.withWorkspace(target.workspaceId, async (tx) => {
    const [grant] = await tx
      .select({ state: grants.state })
      .from(grants)
      .where(and(eq(grants.workspaceId, target.workspaceId), eq(grants.id, target.grantId)));
    if (grant === undefined || grant.state === "ended") return "destroyed";
    if ((await unusedGrant(tx, deps, target)) === null) return "shared";
    if (!anyway) return "kept";
    await deps.credentials.endGrant(tx, log, target);
    return "untold";
  });
}

/** Removes what is known of an erased tenant's end users. */
export const forgetTenantVisits: ForgetTenant = async (tx, tenant, limit) =>
  sumRows(
    await deleteRows(tx, authorizations, ofTenant(tenant), limit),
    await deleteRows(
      tx,
      connectSessions,
      and(eq(connectSessions.workspaceId, tenant.workspaceId), eq(connectSessions.tenantUid, tenant.tenantUid)),
      limit,
    ),
  );

function ofTenant({ workspaceId, tenantUid }: ErasedTenant) {
  return and(eq(authorizations.workspaceId, workspaceId), eq(authorizations.tenantUid, tenantUid));
}
