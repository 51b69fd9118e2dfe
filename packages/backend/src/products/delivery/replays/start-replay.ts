import {
  AppError,
  REPLAY_RATE_DEFAULT,
  type DeliveryReplay,
  type DeliveryReplayId,
  type DeliveryReplayPreview,
  type EndpointId,
  type EventId,
  type EventType,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, eq, sql } from "drizzle-orm";
import { tenantRef } from "../../../domain/workspaces/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { submit } from "../../../platform/lanes/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import { NIL_TENANT, type DeliveryDeps } from "../deps.ts";
import { mustFindEndpoint } from "../endpoints/read-endpoints.ts";
import { readHead } from "../feed/list-events.ts";
import { deliveryReplays } from "../tables.ts";
import { toReplay } from "./read-replays.ts";
import { scanEvents, type ReplaySelection } from "./scan-events.ts";
import { REPLAY_TASK } from "./work-replay.ts";

export interface ReplayInput {
  readonly workspaceId: WorkspaceId;
  readonly endpointId: EndpointId;
  readonly eventIds?: readonly EventId[] | undefined;
  readonly type?: string | undefined;
  /** The host's. */
  readonly tenantId?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly only?: "failed" | "missing" | undefined;
  readonly ratePerSecond?: number | undefined;
}

/** Replays of one workspace at the same time. */
const RUNNING_MAX = 5;
/** Looks at the feed until a count is given up: a million events. */
const WINDOWS_MAX = 200;

/** Counts what a replay would be of. Nothing is changed. @throws AppError `endpoint_not_found`, `tenant_not_found` */
export async function previewReplay(
  deps: Pick<DeliveryDeps, "app">,
  input: ReplayInput,
): Promise<DeliveryReplayPreview> {
  const wanted = await deps.app.withWorkspace(input.workspaceId, (tx) => selectionOf(tx, input));
  return count(deps, input, wanted);
}

/**
 * Begins to send again what fits, oldest first, under the same `webhook-id`; workers do it.
 *
 * @throws AppError `endpoint_not_found`, `tenant_not_found`, `conflict` when it is disabled or too many replays run
 */
export async function startReplay(
  deps: Pick<DeliveryDeps, "app" | "clock" | "wake" | "log">,
  input: ReplayInput,
): Promise<DeliveryReplay> {
  const { workspaceId, endpointId, ratePerSecond = REPLAY_RATE_DEFAULT } = input;
  const wanted = await deps.app.withWorkspace(workspaceId, (tx) => selectionOf(tx, input));
  const preview = await count(deps, input, wanted);
  const id = newId<DeliveryReplayId>();
  const now = deps.clock.now();
  const row = await deps.app.withWorkspace(workspaceId, async (tx) => {
    await makeSureThatFewRun(tx, workspaceId);
    const endpoint = await mustFindEndpoint(tx, input, "share");
    if (endpoint.status === "disabled") throw new AppError("conflict", "the endpoint is disabled; enable it first");
    const [made] = await tx
      .insert(deliveryReplays)
      .values({
        ...wanted,
        eventIds: wanted.eventIds && [...wanted.eventIds],
        workspaceId,
        id,
        endpointId,
        status: "running",
        ratePerSecond,
        matched: preview.exact ? preview.matches : null,
        createdAt: now,
      })
      .returning();
    if (made === undefined) throw new Error("the replay was not written");
    await submit(tx, [
      {
        kind: "deliveryReplay",
        workspaceId,
        tenantUid: NIL_TENANT,
        laneId: endpointId,
        id,
        task: REPLAY_TASK,
        runAt: now,
      },
    ]);
    return toReplay(tx, made);
  });
  deps.wake.poke("lanes:deliveryReplay");
  deps.log.info({ workspaceId, endpointId, replayId: id, ...preview }, "replay begun");
  return row;
}

async function selectionOf(tx: Tx, input: ReplayInput): Promise<ReplaySelection> {
  const { workspaceId, tenantId } = input;
  await mustFindEndpoint(tx, input);
  const tenant = tenantId === undefined ? null : await tenantRef(tx, { workspaceId, id: tenantId });
  return {
    eventIds: input.eventIds ?? null,
    // An unknown type fits nothing.
    type: (input.type as EventType | undefined) ?? null,
    ofTenantUid: tenant?.uid ?? null,
    since: input.since ?? null,
    until: input.until ?? null,
    only: input.only ?? null,
    untilPosition: (await readHead(tx, workspaceId)).position,
  };
}

async function count(
  deps: Pick<DeliveryDeps, "app">,
  input: ReplayInput,
  wanted: ReplaySelection,
): Promise<DeliveryReplayPreview> {
  let matches = 0;
  let after = 0;
  for (let window = 0; window < WINDOWS_MAX; window++) {
    const scan = await deps.app.withWorkspace(input.workspaceId, async (tx) =>
      scanEvents(tx, await mustFindEndpoint(tx, input), { ...wanted, after }, Infinity),
    );
    matches += scan.found.length;
    if (scan.end) return { matches, exact: true };
    after = scan.position;
  }
  return { matches, exact: false };
}

async function makeSureThatFewRun(tx: Tx, workspaceId: WorkspaceId): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`delivery replays ${workspaceId}`}))`);
  const running = await tx
    .select({ id: deliveryReplays.id })
    .from(deliveryReplays)
    .where(and(eq(deliveryReplays.workspaceId, workspaceId), eq(deliveryReplays.status, "running")));
  if (running.length < RUNNING_MAX) return;
  throw new AppError("conflict", `${RUNNING_MAX} replays run already; wait for one to end, or cancel it`);
}
