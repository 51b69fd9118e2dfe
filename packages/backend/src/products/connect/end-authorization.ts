import { encodeId } from "@patchbay/shared";
import { and, inArray } from "drizzle-orm";
import { appendEvents } from "../../domain/events/index.ts";
import { getWorkspace, tenantExternalId } from "../../domain/workspaces/index.ts";
import { authorizationEvent } from "./authorization-event.ts";
import type { ConnectDeps } from "./deps.ts";
import { OPEN_STATUSES, hintOf, ofAuthorization, type AuthorizationRow } from "./load-authorization.ts";
import { authorizations } from "./tables.ts";
import { withinTenant } from "./tenant-scope.ts";

type End =
  | { readonly status: "failed"; readonly error: string; readonly facts?: Partial<AuthorizationRow> }
  | { readonly status: "expired" };

/** Ends an authorization without a connection and tells the host; once, whoever comes first. */
export async function endAuthorization(deps: ConnectDeps, row: AuthorizationRow, end: End): Promise<void> {
  const { workspaceId, tenantUid } = row;
  const workspace = await getWorkspace(withinTenant(deps, row), workspaceId);
  const log = end.status === "expired" ? await deps.audit.writer(workspaceId) : null;
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const told = await deps.withTenant(workspaceId, tenantUid, async (tx) => {
    const [after] = await tx
      .update(authorizations)
      .set({
        ...(end.status === "failed" ? { ...end.facts, error: end.error } : {}),
        status: end.status,
        ...BURNT,
      })
      .where(and(ofAuthorization(hintOf(row)), inArray(authorizations.status, [...OPEN_STATUSES])))
      .returning();
    const externalId = await tenantExternalId(tx, { workspaceId, uid: tenantUid });
    if (after === undefined || externalId === null) return false;
    await appendEvents(tx, sealer, [
      authorizationEvent(after, end.status === "failed" ? "authorization.failed" : "authorization.expired", {
        tenantExternalId: externalId,
        mode: workspace.mode,
        occurredAt: deps.clock.now(),
        connection: null,
      }),
    ]);
    // A failure is entered with what the person or the host did; the end of its time nobody did.
    await log?.append(tx, {
      actor: { kind: "system", id: null },
      action: "authorization.expired",
      target: { type: "authorization", id: encodeId("auth", row.id) },
      tenantUid,
      details: { provider: row.provider },
    });
    return true;
  });
  if (told) deps.wake.poke("events");
}

/** Everything that only one browser or URL holds is of no use after the end. */
export const BURNT = {
  ticketHash: null,
  stateHash: null,
  browserNonceHash: null,
  completionCodeHash: null,
  pkceVerifier: null,
} as const satisfies Partial<AuthorizationRow>;
