import type { ModelName } from "@patchbay/shared";
import type { PagedList, ProviderRequest, Resource } from "../../../connectors/kit/index.ts";
import type { AppliedObject, ApplyResult, ReadInterval } from "../../../domain/records/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { enqueue } from "../../../platform/lanes/index.ts";
import { applyRead } from "../apply-read.ts";
import { markDirty } from "../fetcher/mark-dirty.ts";
import { projectModels } from "../project-models.ts";
import { type ItemsRead, readItems } from "../read-items.ts";
import { syncCursors } from "../tables.ts";
import { fetchItem } from "../tasks.ts";
import { announceRun } from "./announce-run.ts";
import { afterPage, afterTooLarge } from "./page-size.ts";
import { countPage, withResource } from "./resource-progress.ts";
import { splitKnown, sumCounts } from "./split-known.ts";
import { saveRun, type RunContext, type Step } from "./run-context.ts";
import type { ResourceState, RunState } from "./run-state.ts";

/** The host is told of progress at most this often. */
const TOLD_EVERY_MS = 5_000;
const NO_TOTALS: ReadonlyMap<ModelName, number> = new Map();

/** Reads one page of a resource and applies it with the run's progress, in one transaction. */
export async function readPage(context: RunContext, name: string): Promise<Step> {
  const { resource, list } = listOf(context, name);
  const begun = begin(context, name, list);
  const totals = begun.isFirst ? await countAhead(context) : NO_TOTALS;
  const startedAt = context.deps.clock.now().getTime();
  const page = await readItems(context.call, begun.request, (response) => list.items(response), {
    of: (item) => list.expansions(item),
    raw: (item) => item,
    put: (_item, raw) => raw,
  });
  if (!page.ok) return afterFailure(context, name, begun, list, page.fault);
  const next = list.next(page.response, begun.request);
  const { size, ceiling } = afterPage(begun.state, list.pageSize, {
    elapsedMs: context.deps.clock.now().getTime() - startedAt,
    budget: context.connection.connector.observe(page.response),
  });
  const state: Partial<ResourceState> =
    next === null
      ? { ...begun.state, request: null, phase: sweeps(context, resource) ? "sweeping" : "done" }
      : { ...begun.state, request: size === begun.state.size ? next : list.resize(next, size), size, ceiling };
  return { kind: "done", context: await applyPage(context, resource, page, state, totals) };
}

interface Begun {
  readonly isFirst: boolean;
  readonly request: ProviderRequest;
  readonly state: ResourceState;
}

function begin(context: RunContext, name: string, list: PagedList): Begun {
  const state = context.state.resources[name];
  if (state === undefined) throw new Error(`the run has no resource ${name}`);
  if (state.request !== null) return { isFirst: false, request: state.request, state };
  const since = state.since === null ? null : new Date(state.since);
  return {
    isFirst: true,
    request: list.first({ since, pageSize: state.size }),
    state: { ...state, phase: "paging", startedAt: state.startedAt ?? context.deps.clock.now().toISOString() },
  };
}

/**
 * How many there are of everything this run will list, asked once before its first page, so that progress never goes
 * back. It is a help for people: without it, the run goes on.
 */
async function countAhead({ call, connection, row, state }: RunContext): Promise<ReadonlyMap<ModelName, number>> {
  const totals = new Map<ModelName, number>();
  if (row.models.some(({ status }) => status !== "waiting" && status !== "skipped")) return totals;
  for (const [name, { since }] of Object.entries(state.resources)) {
    const resource = connection.connector.resources[name];
    if (!resource?.list?.count || since !== null) continue;
    const outcome = await call(resource.list.count.request());
    const total = outcome.ok ? resource.list.count.parse(outcome.response) : null;
    if (total !== null) totals.set(resource.model, total);
  }
  return totals;
}

async function applyPage(
  context: RunContext,
  resource: Resource,
  page: Extract<ItemsRead<unknown>, { readonly ok: true }>,
  changes: Partial<ResourceState>,
  totals: ReadonlyMap<ModelName, number>,
): Promise<RunContext> {
  const { deps, lane, connection, row, sealer } = context;
  const projected = projectModels(resource, page.items, connection.owner, connection.row.models);
  const announce = context.state.resources[resource.name]?.announce === true;
  const { known, fresh } = announce
    ? { known: [], fresh: projected.objects }
    : await splitKnown(deps, connection.owner, projected.objects);
  const before = await applyKnown(context, known, page.read);
  const isOver = changes.phase === "done";
  let after = context;
  await applyRead(
    deps,
    lane,
    connection,
    { objects: fresh, rejected: projected.rejected, gone: [], read: page.read },
    { announce, runId: row.id, sealer },
    async (tx, applied) => {
      await markAgain(tx, context, applied);
      const status = isOver ? "completed" : "running";
      const counts = sumCounts(before, applied.counts);
      const models = countPage(context, resource.name, { counts, rejected: projected.rejected, status, totals });
      after = await saveRun(tx, context, { models }, withResource(context.state, resource.name, changes));
      if (isOver) await advanceCursor(tx, after, resource.name);
      else after = await tellProgress(tx, after);
    },
  );
  return after;
}

/**
 * What the host may have heard of already, by a webhook or through an earlier connection, is told when it changed, also
 * in a first import: no version of a record that was told goes untold.
 */
async function applyKnown(
  context: RunContext,
  objects: readonly AppliedObject[],
  read: ReadInterval,
): Promise<ApplyResult["counts"]> {
  if (objects.length === 0) return new Map();
  const { deps, lane, connection, row, sealer } = context;
  const { counts } = await applyRead(
    deps,
    lane,
    connection,
    { objects, rejected: [], gone: [], read },
    { announce: true, runId: row.id, sealer },
    (tx, applied) => markAgain(tx, context, applied),
  );
  return counts;
}

/** Objects whose order could not be told are read again by the fetcher, through the same lane. */
export async function markAgain(tx: Tx, { deps, connection }: RunContext, applied: ApplyResult): Promise<void> {
  if (applied.reread.length === 0) return;
  const { workspaceId, connectionId } = connection.owner;
  const now = deps.clock.now();
  const hints = applied.reread.map((each) => ({ ...each, connectionId, deleted: false }));
  await markDirty(tx, workspaceId, hints, now);
  await enqueue(tx, [fetchItem(connection.lane, now)]);
}

/** What was changed before this resource's listing began has been read: the next run starts there. */
export async function advanceCursor(tx: Tx, { deps, connection, state }: RunContext, name: string): Promise<void> {
  const startedAt = state.resources[name]?.startedAt;
  if (!startedAt) return;
  const { workspaceId, connectionId } = connection.owner;
  const values = { changedSince: new Date(startedAt), updatedAt: deps.clock.now() };
  await tx
    .insert(syncCursors)
    .values({ workspaceId, connectionId, resource: name, ...values })
    .onConflictDoUpdate({
      target: [syncCursors.workspaceId, syncCursors.connectionId, syncCursors.resource],
      set: values,
    });
}

async function tellProgress(tx: Tx, context: RunContext): Promise<RunContext> {
  const { deps, connection, row, state, sealer } = context;
  const now = deps.clock.now();
  const last = state.toldAt === null ? row.startedAt : new Date(state.toldAt);
  if (last !== null && now.getTime() - last.getTime() < TOLD_EVERY_MS) return context;
  const told: RunState = { ...state, toldAt: now.toISOString() };
  const after = await saveRun(tx, context, {}, told);
  await announceRun(tx, sealer, connection.owner, "run.progress", after.row, now);
  return after;
}

/** A page that was too large is asked for in halves; a cursor that is refused is begun anew, once. */
async function afterFailure(
  context: RunContext,
  name: string,
  begun: Begun,
  list: PagedList,
  fault: Extract<Step, { readonly kind: "failed" }>["fault"],
): Promise<Step> {
  const failed: Step = { kind: "failed", context, resource: name, fault };
  const smaller = fault.kind === "too_large" ? afterTooLarge(begun.state, list.pageSize) : null;
  const isRefused = fault.kind === "rejected" && !begun.isFirst && !begun.state.restarted;
  if (smaller === null && !isRefused) return failed;
  const changes: Partial<ResourceState> =
    smaller === null
      ? { request: null, restarted: true }
      : { ...begun.state, ...smaller, request: begun.isFirst ? null : list.resize(begun.request, smaller.size) };
  const saved = await context.deps.worker.withWorkspace(context.row.workspaceId, async (tx) => {
    await context.lane.fence(tx);
    return saveRun(tx, context, {}, withResource(context.state, name, changes));
  });
  return { kind: "done", context: saved };
}

/** Full runs look for what is gone, where things can be and can be confirmed. */
function sweeps({ row }: RunContext, resource: Resource): boolean {
  return row.mode === "full" && resource.deletions !== "never" && resource.batchRead !== null;
}

function listOf({ connection }: RunContext, name: string): { readonly resource: Resource; readonly list: PagedList } {
  const resource = connection.connector.resources[name];
  if (!resource?.list) throw new Error(`resource ${name} has no list`);
  return { resource, list: resource.list };
}
