import { encodeId, type AttemptId, type DeliveryId, type DeliveryStatus, type WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { AuditWriter } from "../../domain/audit/index.ts";
import type { Sealer } from "../../domain/vault/index.ts";
import { arrayParam, sideBySide, type Tx } from "../../platform/db/index.ts";
import { settle, type ClaimedLane } from "../../platform/lanes/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import type { DeliveryDeps } from "./deps.ts";
import type { EndpointRow } from "./find-endpoints.ts";
import type { AttemptOutcome } from "./judge-attempt.ts";
import type { LoadedDelivery } from "./load-lane-work.ts";
import { noteHealth } from "./note-health.ts";
import { releaseLater } from "./order.ts";
import type { MadeAttempt } from "./post-event.ts";
import { nextAttemptAt } from "./schedule.ts";

/** A delivery that was tried. */
export interface MadeDelivery {
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
 * Writes down what attempts came to: attempts, deliveries, the endpoints' health and the lanes' items, in one
 * transaction that fails when one of the lanes went to another worker meanwhile.
 *
 * Locks in the order endpoints, deliveries, lanes, as everything here does.
 *
 * @returns for each its endpoint as it is now; `null` when that was deleted, or the tenant erased: nothing more is sent
 *   then
 * @throws LeaseLost
 */
export async function recordAttempts(
  deps: DeliveryDeps,
  workspaceId: WorkspaceId,
  made: readonly MadeDelivery[],
): Promise<readonly (EndpointRow | null)[]> {
  const now = deps.clock.now();
  const isWell = made.every(({ attempt }) => attempt.outcome.verdict === "delivered");
  const log = isWell ? null : await deps.audit.writer(workspaceId);
  const { noted, outcomes } = await deps.worker.withWorkspace(
    workspaceId,
    async (tx) => {
      const noted = await noteHealth(tx, workspaceId, made, now);
      const outcomes = made.map((each) => {
        const next = nextState(each, noted.get(each.endpoint.id)?.row ?? null, deps, now);
        return { each, next, erased: false };
      });
      const kept = await updateDeliveries(tx, workspaceId, outcomes);
      for (const outcome of outcomes) outcome.erased = kept.get(outcome.each.delivery.id) !== "there";
      const goOn: (() => Promise<void>)[] = [];
      for (const { each, next, erased } of outcomes) {
        const arrived = next.status === "delivered" && !erased;
        goOn.push(await releaseLater(tx, each.endpoint, arrived ? each.delivery.orderKey : null, now));
      }
      await sideBySide(
        // It went while it was sent, with its endpoint or its tenant: nothing is kept of it.
        insertAttempts(
          tx,
          workspaceId,
          made.filter(({ delivery }) => kept.has(delivery.id)),
        ),
        settle(
          tx,
          outcomes.map(({ each, next }) => ({
            lease: each.lane.lease,
            outcomes: [
              { id: each.delivery.id, outcome: next.nextAttemptAt === null ? "done" : { at: next.nextAttemptAt } },
            ],
          })),
        ),
      );
      for (const enqueueNext of goOn) await enqueueNext();
      for (const { row, disabled } of noted.values()) {
        if (log !== null && row !== null && disabled) await enterDisabled(tx, log, row);
      }
      return { noted, outcomes };
    },
    // Looking for what waits behind a delivery depends on how many there are.
    { planOnce: made.every(({ delivery }) => delivery.orderKey === null) },
  );
  const all = [...noted.values()];
  if (all.some(({ told }) => told)) deps.wake.poke("events");
  if (all.some(({ aligned }) => aligned) || made.some(({ delivery }) => delivery.orderKey !== null)) {
    deps.wake.poke("lanes:delivery");
  }
  return outcomes.map(({ each, erased }) => (erased ? null : (noted.get(each.endpoint.id)?.row ?? null)));
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

interface NextState {
  readonly status: DeliveryStatus;
  readonly nextAttemptAt: Date | null;
  readonly finishedAt: Date | null;
}

/** A disabled endpoint keeps what it did not take; a deleted one's deliveries are swept away. */
function nextState(
  { attempt, delivery }: MadeDelivery,
  endpoint: EndpointRow | null,
  deps: Pick<DeliveryDeps, "random">,
  now: Date,
): NextState {
  const { outcome } = attempt;
  if (outcome.verdict === "delivered") return { status: "delivered", nextAttemptAt: null, finishedAt: now };
  if (endpoint?.status === "disabled") return { status: "held", nextAttemptAt: null, finishedAt: null };
  const retryAt = retryTime(outcome, delivery, deps, now);
  if (retryAt === null) return { status: "failed", nextAttemptAt: null, finishedAt: now };
  return { status: "pending", nextAttemptAt: retryAt, finishedAt: null };
}

/** `null`: no try is left, or the receiver asks for none. */
function retryTime(
  outcome: AttemptOutcome,
  { attempts, scheduleOffset }: LoadedDelivery,
  { random }: Pick<DeliveryDeps, "random">,
  now: Date,
): Date | null {
  if (outcome.verdict === "gone") return null;
  return nextAttemptAt(attempts + 1 - scheduleOffset, now, random, outcome.retryAfterMs);
}

/** @returns those that are still there, and whether their tenant is: what was opened of an erased one must not go out */
async function updateDeliveries(
  tx: Tx,
  workspaceId: WorkspaceId,
  outcomes: readonly { readonly each: MadeDelivery; readonly next: NextState }[],
): Promise<ReadonlyMap<DeliveryId, "there" | "erased">> {
  const ids = outcomes.map(({ each }) => each.delivery.id);
  const rows = await tx.execute<{ id: DeliveryId; erased: boolean }>(sql`
    with mine as materialized (
      select id from deliveries where workspace_id = ${workspaceId} and id = any(${arrayParam(ids, "uuid")}) order by id for update
    )
    update deliveries d set status = next.status, next_attempt_at = next.next_attempt_at, finished_at = next.finished_at, attempts = next.attempts
    from mine join unnest(
      ${arrayParam(ids, "uuid")},
      ${arrayParam(
        outcomes.map(({ next }) => next.status),
        "text",
      )},
      ${arrayParam(
        outcomes.map(({ next }) => next.nextAttemptAt?.toISOString() ?? null),
        "timestamptz",
      )},
      ${arrayParam(
        outcomes.map(({ next }) => next.finishedAt?.toISOString() ?? null),
        "timestamptz",
      )},
      ${arrayParam(
        outcomes.map(({ each }) => String(each.delivery.attempts + 1)),
        "int",
      )}
    ) as next (id, status, next_attempt_at, finished_at, attempts) using (id)
    where d.workspace_id = ${workspaceId} and d.id = mine.id
    returning d.id, exists (
      select 1 from tenants t where t.workspace_id = d.workspace_id and t.uid = d.tenant_uid and t.erased_at is not null
    ) as erased`);
  return new Map([...rows].map(({ id, erased }) => [id, erased ? "erased" : "there"]));
}

async function insertAttempts(tx: Tx, workspaceId: WorkspaceId, made: readonly MadeDelivery[]): Promise<void> {
  if (made.length === 0) return;
  const column = (of: (each: MadeDelivery) => string | number | null, type: string) =>
    arrayParam(
      made.map((each) => of(each)?.toString() ?? null),
      type,
    );
  await tx.execute(sql`
    insert into attempts (workspace_id, id, delivery_id, endpoint_id, event_id, number, status_code, problem, duration_ms, response_body, started_at)
    select ${workspaceId}, * from unnest(
      ${column(() => newId<AttemptId>(), "uuid")},
      ${column(({ delivery }) => delivery.id, "uuid")},
      ${column(({ endpoint }) => endpoint.id, "uuid")},
      ${column(({ delivery }) => delivery.eventId, "uuid")},
      ${column(({ delivery }) => delivery.attempts + 1, "int")},
      ${column(({ attempt }) => attempt.outcome.statusCode, "int")},
      ${column(({ attempt }) => attempt.outcome.problem, "text")},
      ${column(({ attempt }) => attempt.durationMs, "int")},
      ${column(({ attempt }) => attempt.outcome.responseBody, "text")},
      ${column(({ attempt }) => attempt.startedAt.toISOString(), "timestamptz")}
    )`);
}
