import type { WorkspaceId } from "@patchbay/shared";
import type { Sealer, Vault } from "../../domain/vault/index.ts";
import { NIL_UUID } from "../../platform/db/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import type { LaneWork, LoadedDelivery } from "./load-lane-work.ts";
import { readEventBody } from "./read-event-body.ts";
import { secretPlace } from "./secret-place.ts";

export interface OpenedLaneWork {
  /** The exact bytes to sign and send; `null` when the tenant was erased, and its key with it. */
  bodyOf(delivery: LoadedDelivery): Uint8Array | null;
  /** Newest first. */
  readonly secrets: readonly Secret[];
  /** For events about the endpoint itself. */
  readonly sealer: Sealer;
}

/** Opens what is sealed before any transaction or request begins. */
export async function openLaneWork(vault: Vault, workspaceId: WorkspaceId, work: LaneWork): Promise<OpenedLaneWork> {
  const secrets = await Promise.all(
    work.secrets.map(async (row) => {
      const bytes = await vault.open(workspaceId, secretPlace(row.id), row.secret);
      return new Secret(Buffer.from(bytes).toString());
    }),
  );
  const keyIds = new Set([...work.deliveries.values()].map((delivery) => delivery.bodyKeyId));
  const open = await vault.opener(workspaceId, [...keyIds]);
  return {
    bodyOf: (delivery) => readEventBody(open, { id: delivery.eventId, body: delivery.body }),
    secrets,
    sealer: await vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "payload" }),
  };
}
