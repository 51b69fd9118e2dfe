import { assertNever, type RunId } from "@patchbay/shared";
import { and, eq, lte, sql } from "drizzle-orm";
import type { ProviderFault } from "../../../connectors/kit/index.ts";
import { enqueue, type ClaimedLane, type LaneItem } from "../../../platform/lanes/index.ts";
import { backOff } from "../backoff.ts";
import type { LaneConnection } from "../lane-connection.ts";
import { dirtyMarks, runs, syncCursors } from "../tables.ts";
import { hintItem, lockLanes } from "../tasks.ts";
import { announceRun } from "./announce-run.ts";
import { finishRun } from "./finish-run.ts";
import { failResource } from "./resource-progress.ts";
import { isRun, saveRun, type RunContext, type RunDeps, type Step } from "./run-context.ts";
import { readPage } from "./read-page.ts";
import { initialState, parseRunState, withoutDenied } from "./run-state.ts";
import { sweepChunk } from "./sweep.ts";
import type { RunRow } from "./to-run.ts";

/** Then the lane goes to others; the run comes back at once. */
const SLICE_MS = 20_000;
/** A page that fails this often in a row fails its resource. */
const FAILURES_MAX = 8;

/**
 * Works a run page by page until it ends, its slice is over, or something else of the connection is due. Each page is
 * one transaction with its records, events and cursor: whoever comes after a crash repeats one page at most.
 */
export async function workRun(
  deps: RunDeps,
  lane: ClaimedLane,
  item: LaneItem,
  connection: LaneConnection,
): Promise<void> {
  const { workspaceId, tenantUid } = connection.owner;
  // Items of this task are named by runs.
  const row = await loadRun(deps, connection, item.id as RunId);
  if (row === null || row.finishedAt !== null) return settle(deps, lane, item, connection, "done");
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const priority = row.kind === "initial" || row.mode === "full" ? "backfill" : "incremental";
  let context: RunContext = {
    deps,
    lane,
    item,
    connection,
    sealer,
    call: (request) => deps.client.call(connection.target, request, { priority, signal: lane.signal }),
    row,
    state: { resources: {}, failures: 0, errors: 0, toldAt: null },
  };
  if (connection.row.status !== "active") return finishRun(context, "canceled", "connection_not_active");
  context = row.status === "queued" ? await start(context) : { ...context, state: parseRunState(row.cursors) };

  const startedAt = deps.clock.now().getTime();
  for (;;) {
    if (context.row.cancelRequestedAt !== null) return finishRun(context, "canceled", null);
    const next = nextResource(context);
    if (next === null) return finishRun(context, null, null);
    const step = await takeStep(context, next);
    context = step.context;
    if (lane.signal.aborted) return;
    if (step.kind === "failed") {
      const pause = await afterFault(context, step.resource, step.fault);
      if (pause.kind === "ended") return;
      if (pause.kind === "later") return settle(deps, lane, item, connection, { at: pause.at });
      context = pause.context;
    }
    const sliceIsOver = deps.clock.now().getTime() - startedAt >= SLICE_MS;
    if (sliceIsOver || (await marksWait(context))) {
      return settle(deps, lane, item, connection, { at: deps.clock.now() });
    }
  }
}

async function loadRun(deps: RunDeps, { owner }: LaneConnection, runId: RunId): Promise<RunRow | null> {
  const [row] = await deps.worker.withWorkspace(owner.workspaceId, (tx) =>
    tx
      .select()
      .from(runs)
      .where(and(isRun(owner.workspaceId, runId), eq(runs.connectionId, owner.connectionId))),
  );
  return row ?? null;
}

async function start(context: RunContext): Promise<RunContext> {
  const { deps, lane, connection, row, sealer } = context;
  const { workspaceId, connectionId } = connection.owner;
  const started = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await lane.fence(tx);
    const cursors = await tx
      .select()
      .from(syncCursors)
      .where(and(eq(syncCursors.workspaceId, workspaceId), eq(syncCursors.connectionId, connectionId)));
    const models = [...withoutDenied(connection.connector, connection.row.grantedScopes, row.models)];
    const readable = models.filter(({ status }) => status !== "skipped").map(({ model }) => model);
    const changedSince = new Map(cursors.map((cursor) => [cursor.resource, cursor.changedSince]));
    const state = initialState(
      connection.connector,
      { isFirst: row.kind === "initial", mode: row.mode, models: readable },
      changedSince,
    );
    const now = deps.clock.now();
    const after = await saveRun(tx, context, { models, status: "running", startedAt: now }, state);
    await announceRun(tx, sealer, connection.owner, "run.started", after.row, now);
    return after;
  });
  deps.wake.poke("events");
  return started;
}

/** The first that is not through, in the connector's order. */
function nextResource({ connection, state }: RunContext): string | null {
  const names = Object.keys(connection.connector.resources).filter((name) => state.resources[name] !== undefined);
  return names.find((name) => !isOver(state.resources[name]?.phase)) ?? null;
}

function isOver(phase: string | undefined): boolean {
  return phase === "done" || phase === "failed";
}

function takeStep(context: RunContext, name: string): Promise<Step> {
  return context.state.resources[name]?.phase === "sweeping" ? sweepChunk(context, name) : readPage(context, name);
}

type Pause =
  | { readonly kind: "goOn"; readonly context: RunContext }
  | { readonly kind: "later"; readonly at: Date }
  | { readonly kind: "ended" };

/** What the run does about a page that could not be had. Page sizes are `readPage`'s own affair. */
async function afterFault(context: RunContext, resource: string, fault: ProviderFault): Promise<Pause> {
  const now = context.deps.clock.now();
  switch (fault.kind) {
    case "rate_limited":
      return { kind: "later", at: backOff(now, 0, fault.retryAfterSeconds) };
    case "unavailable": {
      const failures = context.state.failures + 1;
      if (failures > FAILURES_MAX) {
        return { kind: "goOn", context: await failResource(context, resource, "provider_unavailable") };
      }
      await saveFailures(context, failures);
      return { kind: "later", at: backOff(now, failures) };
    }
    case "reauthorize":
      await doubt(context);
      await finishRun(context, "failed", "reauthorization_required");
      return { kind: "ended" };
    case "suspended":
      await finishRun(context, "failed", "account_suspended");
      return { kind: "ended" };
    case "missing_scope":
      await doubt(context);
      return { kind: "goOn", context: await failResource(context, resource, "missing_scope") };
    case "refused":
      return { kind: "goOn", context: await failResource(context, resource, "access_refused") };
    case "gone":
      await doubt(context);
      return { kind: "goOn", context: await failResource(context, resource, "provider_error") };
    case "too_large":
    case "conflict":
    case "rejected":
      return { kind: "goOn", context: await failResource(context, resource, "provider_error") };
    default:
      return assertNever(fault);
  }
}

/** What such an answer means for the connection is found out by one question of its own. */
async function doubt({ deps, connection }: RunContext): Promise<void> {
  await deps.worker.withWorkspace(connection.owner.workspaceId, async (tx) => {
    await lockLanes(tx, [connection.lane]);
    await enqueue(tx, [hintItem(connection.lane, "checkAccount", deps.clock.now())]);
  });
}

async function saveFailures(context: RunContext, failures: number): Promise<void> {
  await context.deps.worker.withWorkspace(context.row.workspaceId, async (tx) => {
    await context.lane.fence(tx);
    await saveRun(tx, context, {}, { ...context.state, failures });
  });
}

/** Webhooks of the connection go before its runs: their marks share the lane. */
async function marksWait({ deps, connection }: RunContext): Promise<boolean> {
  const { workspaceId, connectionId } = connection.owner;
  const rows = await deps.worker.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ one: sql`1` })
      .from(dirtyMarks)
      .where(
        and(
          eq(dirtyMarks.workspaceId, workspaceId),
          eq(dirtyMarks.connectionId, connectionId),
          lte(dirtyMarks.nextAt, deps.clock.now()),
        ),
      )
      .limit(1),
  );
  return rows.length > 0;
}

async function settle(
  deps: RunDeps,
  lane: ClaimedLane,
  item: LaneItem,
  { owner }: LaneConnection,
  outcome: "done" | { readonly at: Date },
): Promise<void> {
  await deps.worker.withWorkspace(owner.workspaceId, (tx) => lane.settle(tx, [{ id: item.id, outcome }]));
}
