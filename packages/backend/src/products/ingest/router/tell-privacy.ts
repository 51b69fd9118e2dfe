import { encodeId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { appendEvents, type NewEvent } from "../../../domain/events/index.ts";
import type { Sealer } from "../../../domain/vault/index.ts";
import { getWorkspace, tenantExternalId } from "../../../domain/workspaces/index.ts";
import { NIL_UUID, type Tx } from "../../../platform/db/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import type { IngestDeps } from "../deps.ts";
import { privacyRequests } from "../tables.ts";
import { findConnections } from "./find-connections.ts";
import type { PrivacyHint } from "./plan-routes.ts";
import type { ReadArrival } from "./read-arrivals.ts";

type PrivacyDeps = Pick<IngestDeps, "worker" | "vault" | "clock" | "log">;

/** What must be had before the transaction that tells of privacy requests. */
export interface PrivacyContext {
  readonly mode: "live" | "test";
  /** One per tenant that a request concerns, and the workspace's. */
  readonly sealers: ReadonlyMap<string, Sealer>;
}

/** @returns `null` when none of them asks for anything */
export async function preparePrivacy(
  deps: PrivacyDeps,
  workspaceId: WorkspaceId,
  arrivals: readonly ReadArrival[],
): Promise<PrivacyContext | null> {
  const asksPrivacy = arrivals.some(
    ({ content }) => "changes" in content && content.changes.some(({ hint }) => hint.kind === "privacy"),
  );
  if (!asksPrivacy) return null;
  const known = await deps.worker.withWorkspace(workspaceId, (tx) => findConnections(tx, workspaceId, arrivals));
  const sealers = new Map<string, Sealer>();
  for (const tenantUid of new Set<TenantUid | typeof NIL_UUID>([NIL_UUID, ...known.map((each) => each.tenantUid)])) {
    sealers.set(tenantUid, await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" }));
  }
  return { sealers, mode: (await getWorkspace(deps.worker, workspaceId)).mode };
}

/** Keeps the request; redactions are told to the host, per tenant concerned, or once for the workspace. */
export async function tellPrivacy(
  tx: Tx,
  deps: PrivacyDeps,
  workspaceId: WorkspaceId,
  { mode, sealers }: PrivacyContext,
  hint: PrivacyHint,
): Promise<void> {
  const { inboxId, provider, request, receivedAt } = hint;
  await tx.insert(privacyRequests).values({ workspaceId, id: newId(), inboxId, provider, request, receivedAt });
  deps.log.warn({ workspaceId, inboxId, provider, request }, "privacy request received");
  if (request === "data_request") return;
  const data = { request, provider, inboxId: encodeId("inb", inboxId) };
  const byTenant = new Map(hint.connections.map((connection) => [connection.tenantUid, connection]));
  for (const connection of byTenant.size === 0 ? [null] : byTenant.values()) {
    const tenantUid = connection?.tenantUid ?? (NIL_UUID as TenantUid);
    const sealer = sealers.get(tenantUid);
    if (sealer === undefined) throw new Error("no sealer for a privacy request");
    const event: NewEvent = {
      workspaceId,
      tenantUid,
      tenantExternalId: connection && (await tenantExternalId(tx, { workspaceId, uid: tenantUid })),
      connection,
      type: "privacy.redactRequested",
      mode,
      occurredAt: deps.clock.now(),
      data,
    };
    await appendEvents(tx, sealer, [event]);
  }
}
