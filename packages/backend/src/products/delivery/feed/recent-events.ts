import { encodeId, type WorkspaceId } from "@patchbay/shared";
import { and, desc, eq, isNull } from "drizzle-orm";
import { events } from "../../../domain/events/index.ts";
import { tenants } from "../../../domain/workspaces/index.ts";
import type { DeliveryDeps } from "../deps.ts";

/** What an operator may see of an event: its content stays sealed. */
export interface EventSummary {
  readonly id: string;
  readonly type: string;
  readonly tenantId: string | null;
  /** `null` until the sequencer gave it one. */
  readonly position: number | null;
  readonly occurredAt: string;
}

/** The newest events, newest first. @param input.limit at most 100 */
export async function recentEvents(
  deps: Pick<DeliveryDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly limit: number },
): Promise<readonly EventSummary[]> {
  const rows = await deps.app.withWorkspace(input.workspaceId, (tx) =>
    tx
      .select({
        id: events.id,
        type: events.type,
        tenantId: tenants.externalId,
        position: events.position,
        occurredAt: events.occurredAt,
      })
      .from(events)
      .leftJoin(
        tenants,
        and(eq(tenants.workspaceId, events.workspaceId), eq(tenants.uid, events.tenantUid), isNull(tenants.erasedAt)),
      )
      .where(eq(events.workspaceId, input.workspaceId))
      .orderBy(desc(events.id))
      .limit(Math.min(input.limit, 100)),
  );
  return rows.map((row) => ({ ...row, id: encodeId("evt", row.id), occurredAt: row.occurredAt.toISOString() }));
}
