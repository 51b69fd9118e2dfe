import { AppError, type ConnectionId, type ConnectionStatus, type EventType, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Sealer } from "../vault/index.ts";
import { announce } from "./announce.ts";
import { lockConnection, type ConnectionRow } from "./load-connection.ts";
import { transition, type ConnectionEvent } from "./state.ts";
import { connections } from "./tables.ts";

export interface StatusChange {
  /** The row after it. */
  readonly connection: ConnectionRow;
  readonly changed: boolean;
  /** What the host is told; poke `events` after the commit. */
  readonly announced: EventType | null;
}

/**
 * Applies one event to a connection, in the caller's transaction, and tells the host. Said twice, it changes and tells
 * nothing.
 *
 * @param deps.sealer of the tenant's `payload` key
 * @throws AppError `connection_not_found`; `connection_not_active` when the event makes no sense in its status
 */
export async function changeStatus(
  tx: Tx,
  deps: { readonly clock: Clock; readonly sealer: Sealer },
  input: {
    readonly workspaceId: WorkspaceId;
    readonly connectionId: ConnectionId;
    readonly event: ConnectionEvent;
    /** A stable code, shown as `statusReason`. */
    readonly reason?: string | null;
    /** Further facts that change with it, such as the grant of a repaired connection. */
    readonly facts?: Partial<ConnectionRow>;
  },
): Promise<StatusChange> {
  const row = await lockConnection(tx, input.workspaceId, input.connectionId);
  const next = transition(row.status, input.event);
  if (next.kind === "refused") {
    throw new AppError("connection_not_active", `a connection that is ${row.status} cannot take "${input.event}"`);
  }
  if (next.kind === "same" && input.facts === undefined) return { connection: row, changed: false, announced: null };
  const now = deps.clock.now();
  const [after] = await tx
    .update(connections)
    .set({
      ...input.facts,
      ...(next.kind === "moved" ? changesTo(row, next.to, input.reason ?? null, now) : {}),
      updatedAt: now,
    })
    .where(and(eq(connections.workspaceId, input.workspaceId), eq(connections.id, input.connectionId)))
    .returning();
  if (after === undefined) throw new Error("the connection was not written");
  if (next.kind === "same") return { connection: after, changed: false, announced: null };
  if (next.announce !== null) await announce(tx, deps, after, next.announce);
  return { connection: after, changed: true, announced: next.announce };
}

/**
 * Health is kept over a pause. It starts anew with new credentials, and means nothing where nothing works.
 */
function changesTo(row: ConnectionRow, to: ConnectionStatus, reason: string | null, now: Date): Partial<ConnectionRow> {
  const keepsHealth = to === "paused" || (to === "active" && row.status === "paused");
  const status = { status: to, ...(keepsHealth ? {} : GOOD_HEALTH) };
  if (to === "active") {
    return {
      ...status,
      statusReason: (keepsHealth ? row.healthCauses[0] : null) ?? reason,
      activatedAt: row.activatedAt ?? now,
      // What was missed is read at once when it works again; the initial run of a first activation plans the next by itself.
      nextRunAt: row.status === "pending" ? null : now,
    };
  }
  return { ...status, statusReason: reason, nextRunAt: null, ...(to === "disconnected" ? { endedAt: now } : {}) };
}

const GOOD_HEALTH: Pick<ConnectionRow, "health" | "healthCauses" | "failedRuns"> = {
  health: "ok",
  healthCauses: [],
  failedRuns: 0,
};
