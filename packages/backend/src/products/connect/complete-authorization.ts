import { AppError, assertNever, type Authorization, type CompleteAuthorization } from "@patchbay/shared";
import { appendEvents } from "../../domain/events/index.ts";
import type { Sealer } from "../../domain/vault/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { attachGrant, type Attached } from "./attach-grant.ts";
import { authorizationEvent } from "./authorization-event.ts";
import { getAuthorization } from "./authorization-view.ts";
import { clearTraces } from "./clear-traces.ts";
import type { ConnectDeps } from "./deps.ts";
import { BURNT, endAuthorization } from "./end-authorization.ts";
import {
  authorizationOfSession,
  hintOf,
  isOpen,
  ofAuthorization,
  type AuthorizationRow,
} from "./load-authorization.ts";
import type { Limits } from "./limits.ts";
import { proves } from "./proof.ts";
import type { SessionContext } from "./session-context.ts";
import { authorizations } from "./tables.ts";

/**
 * Makes or repairs the connection, once the browser that consented is proved to be the one that started: one
 * transaction with the events and the lane item. Calls that come at once or again all get the one result.
 *
 * @throws AppError `authorization_not_found`; `conflict` as long as consent or proof is missing; `access_denied` for a
 *   wrong proof; `authorization_expired`
 */
export async function completeAuthorization(
  deps: ConnectDeps,
  limits: Limits,
  session: SessionContext,
  id: string,
  proof: CompleteAuthorization,
): Promise<Authorization> {
  limits.countCall(session);
  const { workspaceId, tenantUid } = session;
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const outcome = await deps.withTenant(workspaceId, tenantUid, async (tx) => {
    const row = await authorizationOfSession(tx, session, id, "update");
    if (!checkReady(deps, row, proof)) return { kind: "over" } as const;
    const attached = await attach(tx, deps, sealer, row, session.mode);
    if (typeof attached === "string") return { kind: "failed", row, error: attached } as const;
    await settle(tx, deps, sealer, session, row, attached);
    return { kind: "completed", replaced: attached.replaced } as const;
  });
  if (outcome.kind === "completed") {
    deps.wake.poke("events");
    deps.wake.poke("lanes:connection");
    if (outcome.replaced !== null) await clearTraces(deps, outcome.replaced);
  }
  if (outcome.kind === "failed") await endAuthorization(deps, outcome.row, { status: "failed", error: outcome.error });
  return getAuthorization(deps, session, id);
}

/** @returns false when it is over: the caller only wants to know how it ended */
function checkReady(deps: ConnectDeps, row: AuthorizationRow, proof: CompleteAuthorization): boolean {
  switch (row.status) {
    case "completed":
    case "failed":
    case "canceled":
    case "expired":
      return false;
    case "created":
    case "started":
      throw new AppError("conflict", "nobody has consented yet");
    case "exchanged":
    case "confirmed":
      break;
    default:
      return assertNever(row.status);
  }
  if (!isOpen(row, deps.clock.now())) throw new AppError("authorization_expired", "this authorization has expired");
  switch (proves(row, proof)) {
    case "proved":
      return true;
    case "missing":
      throw new AppError("conflict", "the person has not confirmed in the window yet");
    case "wrong":
      throw new AppError("access_denied", "this browser did not start the authorization");
  }
}

async function attach(
  tx: Tx,
  deps: ConnectDeps,
  sealer: Sealer,
  row: AuthorizationRow,
  mode: "live" | "test",
): Promise<Attached> {
  const { grantId, accountId } = row;
  if (grantId === null || accountId === null) throw new Error("an exchanged authorization without its grant");
  return attachGrant(tx, deps, sealer, { ...row, mode, grantId, accountId, accountName: row.accountName ?? accountId });
}

async function settle(
  tx: Tx,
  deps: ConnectDeps,
  sealer: Sealer,
  session: SessionContext,
  row: AuthorizationRow,
  { connection, replaced }: Exclude<Attached, string>,
): Promise<void> {
  const now = deps.clock.now();
  const [after] = await tx
    .update(authorizations)
    .set({ ...BURNT, status: "completed", connectionId: connection.id, completedAt: now })
    .where(ofAuthorization(hintOf(row)))
    .returning();
  if (after === undefined) throw new Error("the authorization was not written");
  await appendEvents(tx, sealer, [
    authorizationEvent(after, "authorization.completed", {
      tenantExternalId: session.tenantExternalId,
      mode: session.mode,
      occurredAt: now,
      connection,
      replaced,
    }),
  ]);
}
