import type { EndpointId, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { appendEvents, type NewEvent } from "../../domain/events/index.ts";
import { sideBySide, type Tx } from "../../platform/db/index.ts";
import { submitAlign } from "./align-deliveries.ts";
import { endpointEvent } from "./endpoint-event.ts";
import { afterFailure, afterSuccess, isWell, type HealthChange } from "./endpoint-health.ts";
import { findEndpoints, type EndpointRow } from "./find-endpoints.ts";
import type { MadeDelivery } from "./record-attempts.ts";
import { endpoints } from "./tables.ts";

/** What attempts told about their endpoint. */
export interface NotedHealth {
  /** As it is now; `null` when it was deleted. */
  readonly row: EndpointRow | null;
  /** Whether the host is told something. */
  readonly told: boolean;
  /** Whether its lanes and deliveries are to be aligned with it. */
  readonly aligned: boolean;
  /** Whether these attempts disabled it. */
  readonly disabled: boolean;
}

/**
 * Lets attempts tell about their endpoints, and the host know about changes. The row of an endpoint that is well, and
 * about which they say so, is read only: every lane of the endpoint would wait for it.
 */
export async function noteHealth(
  tx: Tx,
  workspaceId: WorkspaceId,
  made: readonly MadeDelivery[],
  now: Date,
): Promise<ReadonlyMap<EndpointId, NotedHealth>> {
  const byEndpoint = Map.groupBy(made, ({ endpoint }) => endpoint.id);
  const ids = [...byEndpoint.keys()];
  const isQuiet = (id: EndpointId) => byEndpoint.get(id)?.every((each) => saysNothingNew(each, now)) === true;
  const [asBefore, locked] = await sideBySide(
    findEndpoints(tx, workspaceId, ids.filter(isQuiet)),
    findEndpoints(
      tx,
      workspaceId,
      ids.filter((id) => !isQuiet(id)),
      "update",
    ),
  );
  const noted = new Map<EndpointId, NotedHealth>(ids.map((id) => [id, { ...NOTHING_NEW, row: null }]));
  for (const row of asBefore) noted.set(row.id, { ...NOTHING_NEW, row });
  for (const row of locked) noted.set(row.id, await noteOne(tx, row, byEndpoint.get(row.id) ?? [], now));
  return noted;
}

const NOTHING_NEW = { told: false, aligned: false, disabled: false };

function saysNothingNew({ attempt, endpoint }: MadeDelivery, now: Date): boolean {
  return attempt.outcome.verdict === "delivered" && isWell(endpoint, now);
}

/** In the order in which the attempts ended. */
async function noteOne(tx: Tx, row: EndpointRow, made: readonly MadeDelivery[], now: Date): Promise<NotedHealth> {
  let current = row;
  const tells: NewEvent[] = [];
  let aligned = false;
  for (const each of made) {
    if (current.status === "disabled") break;
    const change = healthAfter(current, each, now);
    const disabledReason = each.attempt.outcome.verdict === "gone" ? "gone" : change.giveUp ? "failing" : null;
    current = {
      ...current,
      ...change.health,
      ...(disabledReason === null ? {} : { status: "disabled", disabledReason, updatedAt: now }),
    };
    const tell = disabledReason === null ? change.tell : "disabled";
    if (tell === null) continue;
    tells.push(endpointEvent(`endpoint.${tell}`, current, each.mode, now));
    aligned ||= disabledReason !== null || tell === "recovered";
  }
  if (current !== row) {
    const { status, disabledReason, updatedAt, consecutiveFailures, failingSince, lastSuccessAt, openUntil } = current;
    await tx
      .update(endpoints)
      .set({ status, disabledReason, updatedAt, consecutiveFailures, failingSince, lastSuccessAt, openUntil })
      .where(and(eq(endpoints.workspaceId, row.workspaceId), eq(endpoints.id, row.id)));
  }
  const [first] = made;
  // Together, since they are told in their order.
  if (first !== undefined) await appendEvents(tx, first.sealer, tells);
  if (aligned) await submitAlign(tx, { workspaceId: row.workspaceId, endpointId: row.id, now });
  return { row: current, told: tells.length > 0, aligned, disabled: current.status !== row.status };
}

function healthAfter(row: EndpointRow, { attempt, probe }: MadeDelivery, now: Date): HealthChange {
  const { outcome } = attempt;
  if (outcome.verdict === "delivered") return afterSuccess(row, now);
  const pauseMs = outcome.throttled ? outcome.retryAfterMs : null;
  return afterFailure(row, now, { weight: outcome.weight, pauseMs, probe });
}
