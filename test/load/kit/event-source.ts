import { encodeId, type EventType, type TenantUid } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { appendEvents, type NewEvent } from "../../../packages/backend/src/domain/events/index.ts";
import { tenantRef } from "../../../packages/backend/src/domain/workspaces/index.ts";
import { createWake } from "../../../packages/backend/src/platform/lanes/index.ts";
import { silentLogger } from "../../../packages/backend/src/platform/observability/index.ts";
import type { WholeStage } from "./whole-stage.ts";

/** Appends events as a product part does, for benches of what follows. */
export interface EventSource {
  tenant(id: string): Promise<Tenant>;
  /** @returns the events' ids as hosts see them, after the commit */
  append(tenant: Tenant, type: EventType, count: number): Promise<readonly string[]>;
}

export interface Tenant {
  readonly id: string;
  readonly uid: TenantUid;
}

/** Events of one transaction. */
const BATCH = 500;

export async function openEventSource(stage: WholeStage): Promise<EventSource> {
  const { ground, workspaceId } = stage;
  const { withWorkspace } = ground.database.as("patchbay_app");
  const wake = await createWake({ log: silentLogger, database: ground.database });
  ground.onClose(() => wake.close());
  return {
    async tenant(id) {
      await stage.patchbay.tenants.upsert({ id });
      const { uid } = await withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id }));
      return { id, uid };
    },
    async append(tenant, type, count) {
      const sealer = await ground.vault.sealer({ workspaceId, tenantUid: tenant.uid, purpose: "payload" });
      const ids: string[] = [];
      for (let left = count; left > 0; left -= BATCH) {
        const events = Array.from({ length: Math.min(left, BATCH) }, () => ({
          workspaceId,
          tenantUid: tenant.uid,
          tenantExternalId: tenant.id,
          connection: null,
          type,
          mode: "test" as const,
          occurredAt: new Date(),
          data: PAYLOAD,
          // Each about something of its own, as most events are.
          record: { id: randomUUID(), model: "order", version: 1 },
        }));
        // What is told does not matter where it is only carried.
        const untold = events as unknown as readonly NewEvent[];
        const made = await withWorkspace(workspaceId, (tx) => appendEvents(tx, sealer, untold));
        ids.push(...made.map((id) => encodeId("evt", id)));
        wake.poke("events");
      }
      return ids;
    },
  };
}

/** About as much as an order's event carries. */
const PAYLOAD = { note: "x".repeat(1_500) };
