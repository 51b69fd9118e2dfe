import { AppError, encodeId, type ExportConnection, type ExportedConnection, type WorkspaceId } from "@patchbay/shared";
import { changeStatus, connectionsOfGrant, isLive, type ConnectionRow } from "../../domain/connections/index.ts";
import { tenantExternalId } from "../../domain/workspaces/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { parseRecipient } from "../credentials/index.ts";
import { findConnection } from "./connection-verbs.ts";
import type { ConnectDeps } from "./deps.ts";
import { HANDED_OVER } from "./handed-over.ts";

/**
 * Gives a connection's credentials to its host, encrypted to the host's key.
 *
 * With `handOver` they become the host's alone: the connection is paused, and nothing here refreshes them or gives them
 * back at the provider. Asked for again, they are given again, so that a lost answer loses nothing.
 *
 * @throws AppError `invalid_request` for the key, `connection_not_found`, `connection_not_active`,
 *   `reauthorization_required`, `request_in_flight` during a refresh, `conflict` when others use what is to be handed over
 */
export async function exportConnection(
  deps: ConnectDeps,
  input: { readonly workspaceId: WorkspaceId; readonly id: string; readonly body: ExportConnection },
): Promise<ExportedConnection> {
  const { workspaceId, body } = input;
  const recipient = parseRecipient(body.publicKey);
  const row = await findConnection(deps, { workspaceId }, input.id);
  const handedOver = body.handOver === true;
  if (row.status === "reauthorizationRequired") {
    throw new AppError(
      "reauthorization_required",
      "these credentials do not work any more; the account must be connected again",
    );
  }
  if (!isLive(row.status))
    throw new AppError("connection_not_active", `a connection that is ${row.status} has no credentials`);
  if (handedOver) {
    await deps.withWorkspace(workspaceId, (tx) => refuseSharers(tx, row));
    // As long as we may use them: what goes on posting to us would be of no use to anybody.
    await deps.removeSubscriptions({ workspaceId, connectionId: row.id });
  }
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: row.tenantUid, purpose: "payload" });
  const taken = await deps.withWorkspace(workspaceId, async (tx) => {
    // The grant is locked before connections, as everywhere.
    const snapshot = await deps.credentials.takeSnapshot(tx, { workspaceId, grantId: row.grantId }, handedOver);
    if (handedOver) await handOver(tx, deps, sealer, row);
    return { snapshot, tenantId: await tenantExternalId(tx, { workspaceId, uid: row.tenantUid }) };
  });
  if (taken.tenantId === null) throw new AppError("connection_not_found", "no such connection");
  const connectionId = encodeId("conn", row.id);
  const exportedAt = deps.clock.now().toISOString();
  const jwe = await deps.credentials.encryptSnapshot(taken.snapshot, recipient, {
    version: 1,
    connectionId,
    tenantId: taken.tenantId,
    provider: row.provider,
    providerAccountId: row.accountId,
    mode: row.mode,
    parameters: row.params,
    models: row.models,
    exportedAt,
  });
  return { connectionId, jwe, handedOver, exportedAt };
}

async function handOver(
  tx: Tx,
  deps: ConnectDeps,
  sealer: Parameters<typeof changeStatus>[1]["sealer"],
  row: ConnectionRow,
): Promise<void> {
  await refuseSharers(tx, row);
  const { workspaceId, id: connectionId } = row;
  await changeStatus(
    tx,
    { ...deps, sealer },
    { workspaceId, connectionId, event: "pause", reason: HANDED_OVER, facts: { statusReason: HANDED_OVER } },
  );
}

/** What others live on cannot be given away. */
async function refuseSharers(tx: Tx, row: ConnectionRow): Promise<void> {
  const sharers = await connectionsOfGrant(tx, row.workspaceId, row.grantId);
  if (sharers.every((each) => each.id === row.id || !isLive(each.status))) return;
  throw new AppError(
    "conflict",
    "another tenant's connection uses the same credentials: disconnect it first, or export without handOver",
  );
}
