import { encodeId, type AttemptId, type EndpointId } from "@patchbay/shared";
import { and, eq, sql } from "drizzle-orm";
import type { AuditWriter } from "../../domain/audit/index.ts";
import { appendEvents } from "../../domain/events/index.ts";
import type { Sealer } from "../../domain/vault/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { ClaimedLane } from "../../platform/lanes/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import { submitAlign } from "./align-deliveries.ts";
import type { DeliveryDeps } from "./deps.ts";
import { afterFailure, afterSuccess, isWell, type HealthChange } from "./endpoint-health.ts";
import { endpointEvent } from "./endpoint-event.ts";
import type { AttemptOutcome } from "./judge-attempt.ts";
import { findEndpoint, type EndpointRow, type LoadedDelivery } from "./load-lane-work.ts";
import type { MadeAttempt } from "./post-event.ts";
import { releaseLater } from "./order.ts";
import { nextAttemptAt } from "./schedule.ts";
import { attempts, deliveries, endpoints } from "./tables.ts";

interface Input {
  readonly lane: ClaimedLane;
  readonly mode: "live" | "test";
  readonly endpoint: EndpointRow;
  readonly delivery: LoadedDelivery;
  readonly attempt: MadeAttempt;
  /** Whether this attempt was the one let through a break. */
  readonly probe: boolean;
  /** Of the workspace's own `payload` key. */
  readonly sealer: Sealer;
}

/**
 * Writes down what an attempt came to: attempt, delivery, the endpoint's health and the lane's item, in one
 * transaction that fails when the lane went to another worker meanwhile.
 *
 * Locks in the order endpoint, delivery, lane, as everything here does.
 *
 * @returns the endpoint as it is now; `null` when it was deleted, or the tenant erased: nothing more is sent then
 * @throws LeaseLost
 */
export async function recordAttempt(deps: DeliveryDeps, input: Input): Promise<EndpointRow | null> {
  const { lane, delivery, attempt } = input;
  const { workspaceId } = lane.key;
  const now = deps.clock.now();
  const log = attempt.outcome.verdict === "delivered" ? null : await deps.audit.writer(workspaceId);
  const written = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const endpoint = await noteHealth(tx, input, now);
    const retryAt =
      attempt.outcome.verdict === "failed"
        ? nextAttemptAt(delivery.attempts + 1 - delivery.scheduleOffset, now, deps.random, attempt.outcome.retryAfterMs)
        : null;
    const next = nextState(attempt.outcome, endpoint.row, retryAt, now);
    const kept = await tx
      .update(deliveries)
      .set({ ...next, attempts: delivery.attempts + 1 })
      .where(and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.id, delivery.id)))
      .returning({ erased: isErased() });
    // It went while it was sent, with its endpoint or its tenant: nothing is kept of it.
    if (kept.length > 0) await insertAttempt(tx, input);
    const erased = kept.every((row) => row.erased);
    const arrived = next.status === "delivered" && !erased;
    const goOn = await releaseLater(tx, input.endpoint, arrived ? delivery.orderKey : null, now);
    await lane.settle(tx, [
      { id: delivery.id, outcome: next.nextAttemptAt === null ? "done" : { at: next.nextAttemptAt } },
    ]);
    await goOn();
    if (log !== null && endpoint.disabled !== null) await enterDisabled(tx, log, endpoint.disabled);
    return erased ? { ...endpoint, row: null } : endpoint;
  });
  if (written.told) deps.wake.poke("events");
  if (written.aligned || delivery.orderKey !== null) deps.wake.poke("lanes:delivery");
  return written.row;
}

/** Whether the tenant of a delivery was erased: what was opened of it before must not go out after. */
function isErased() {
  return sql<boolean>`exists (
    select 1 from tenants t where t.workspace_id = deliveries.workspace_id and t.uid = deliveries.tenant_uid and t.erased_at is not null
  )`;
}

/** Lets the attempt tell about its endpoint; tells the host about changes. */
async function noteHealth(
  tx: Tx,
  input: Input,
  now: Date,
): Promise<{ row: EndpointRow | null; told: boolean; aligned: boolean; disabled: EndpointRow | null }> {
  const { workspaceId } = input.lane.key;
  const { outcome } = input.attempt;
  const quiet = outcome.verdict === "delivered" && isWell(input.endpoint, now);
  const row = await findEndpoint(tx, workspaceId, input.endpoint.id, quiet ? null : "update");
  if (row === null || quiet || row.status === "disabled") return { row, told: false, aligned: false, disabled: null };

  const change = healthAfter(row, outcome, input.probe, now);
  const disabledReason = outcome.verdict === "gone" ? "gone" : change.giveUp ? "failing" : null;
  const changed: EndpointRow = {
    ...row,
    ...change.health,
    ...(disabledReason === null ? {} : { status: "disabled", disabledReason, updatedAt: now }),
  };
  await tx
    .update(endpoints)
    .set(changed)
    .where(and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, row.id)));
  const tell = disabledReason === null ? change.tell : "disabled";
  if (tell !== null)
    await appendEvents(tx, input.sealer, [endpointEvent(`endpoint.${tell}`, changed, input.mode, now)]);
  const aligned = disabledReason !== null || tell === "recovered";
  if (aligned) await submitAlign(tx, { workspaceId, endpointId: row.id, now });
  return { row: changed, told: tell !== null, aligned, disabled: disabledReason === null ? null : changed };
}

/** The product's own act. Last in the transaction, as every entry. */
async function enterDisabled(tx: Tx, log: AuditWriter, endpoint: EndpointRow): Promise<void> {
  await log.append(tx, {
    actor: { kind: "system", id: null },
    action: "webhook_endpoint.disabled",
    target: { type: "webhook_endpoint", id: encodeId("we", endpoint.id) },
    details: { reason: endpoint.disabledReason },
  });
}

function healthAfter(row: EndpointRow, outcome: AttemptOutcome, probe: boolean, now: Date): HealthChange {
  if (outcome.verdict === "delivered") return afterSuccess(row, now);
  const pauseMs = outcome.throttled ? outcome.retryAfterMs : null;
  return afterFailure(row, now, { weight: outcome.weight, pauseMs, probe });
}

/** A disabled endpoint keeps what it did not take; a deleted one's deliveries are swept away. */
function nextState(outcome: AttemptOutcome, endpoint: EndpointRow | null, retryAt: Date | null, now: Date) {
  if (outcome.verdict === "delivered") return { status: "delivered", nextAttemptAt: null, finishedAt: now } as const;
  if (endpoint?.status === "disabled") return { status: "held", nextAttemptAt: null, finishedAt: null } as const;
  if (retryAt === null) return { status: "failed", nextAttemptAt: null, finishedAt: now } as const;
  return { status: "pending", nextAttemptAt: retryAt, finishedAt: null } as const;
}

async function insertAttempt(tx: Tx, { lane, delivery, endpoint, attempt }: Input): Promise<void> {
  await tx.insert(attempts).values({
    workspaceId: lane.key.workspaceId,
    id: newId<AttemptId>(),
    deliveryId: delivery.id,
    endpointId: endpoint.id satisfies EndpointId,
    eventId: delivery.eventId,
    number: delivery.attempts + 1,
    statusCode: attempt.outcome.statusCode,
    problem: attempt.outcome.problem,
    durationMs: attempt.durationMs,
    responseBody: attempt.outcome.responseBody,
    startedAt: attempt.startedAt,
  });
}
