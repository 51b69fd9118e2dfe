import { assertNever } from "@patchbay/shared";
import { and, asc, eq, lte, sql } from "drizzle-orm";
import { canRead, type ProviderFault, type Resource } from "../../../connectors/kit/index.ts";
import { quarantine } from "../../../domain/records/index.ts";
import type { Sealer } from "../../../domain/vault/index.ts";
import { sideBySide, type Tx } from "../../../platform/db/index.ts";
import {
  LeaseLost,
  type ClaimedLane,
  type ItemOutcome,
  type LaneItem,
  type LaneKey,
} from "../../../platform/lanes/index.ts";
import { gather } from "../../../platform/runtime/index.ts";
import { applyRead } from "../apply-read.ts";
import { backOff } from "../backoff.ts";
import type { IngestDeps } from "../deps.ts";
import { connectionOf, type LaneConnection } from "../lane-connection.ts";
import type { Call } from "../read-items.ts";
import { dirtyMarks } from "../tables.ts";
import { type Chunk, fetchChunk } from "./fetch-chunk.ts";

export type FetchDeps = Pick<IngestDeps, "worker" | "vault" | "client" | "clock" | "wake" | "log">;
export type Mark = typeof dirtyMarks.$inferSelect;

const MARKS_MAX = 250;
/** Marks of replays read at once: live ones that come meanwhile wait for no more than these. */
const PATIENT_MARKS_MAX = 50;
/** Calls of one resource under way at once: the provider client keeps the budget, and gives live hints precedence. */
const READS_AT_ONCE = 4;
/** What so many calls found is applied in one transaction. */
const CHUNKS_PER_APPLY = 10;
/** Then the lane goes to others; the item comes back at once. */
const SLICE_MS = 10_000;
/** An object that cannot be read this often goes to quarantine; the next full run sees it again. */
const ATTEMPTS_MAX = 5;
/** A connection that cannot be read is looked at again then; repairing it wakes the item at once. */
const INACTIVE_MS = 3_600_000;
/** 2^5 s. */
const UNAVAILABLE_STEPS_MAX = 5;

/**
 * Reads the objects that are marked dirty and applies what it finds. A mark is cleared only if no further hint came
 * since it was seen.
 *
 * @param first marks that were found together with the connection
 */
export async function fetchDirty(
  deps: FetchDeps,
  lane: ClaimedLane,
  item: LaneItem,
  connection: LaneConnection,
  first: readonly Mark[],
): Promise<void> {
  const { workspaceId, tenantUid } = connection.owner;
  if (connection.row.status !== "active") return settle(deps, lane, item, connection, later(deps, INACTIVE_MS));
  const startedAt = deps.clock.now().getTime();
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });

  let marks = first;
  while (!lane.signal.aborted && deps.clock.now().getTime() - startedAt < SLICE_MS) {
    const priority = marks.some((mark) => !mark.patient) ? "webhook" : "backfill";
    const call: Call = (request) => deps.client.call(connection.target, request, { priority, signal: lane.signal });
    const progress: Progress = { left: marks.length, next: null };
    const context: Context = { deps, lane, item, connection, sealer, call, progress };
    const stop = await fetchGroups(context, byResource(marks));
    if (stop !== null) return settle(deps, lane, item, connection, stop);
    marks = progress.next ?? (await settleUnlessDue(context));
    if (marks.length === 0) return;
  }
  if (!lane.signal.aborted) await settle(deps, lane, item, connection, later(deps, 0));
}

interface Context {
  readonly deps: FetchDeps;
  readonly lane: ClaimedLane;
  readonly item: LaneItem;
  readonly connection: LaneConnection;
  readonly sealer: Sealer;
  readonly call: Call;
  readonly progress: Progress;
}

interface Progress {
  /** Marks of this round that nothing was applied for yet. */
  left: number;
  /** Marks due after what was applied last; none: the item was settled with it. */
  next: readonly Mark[] | null;
}

/**
 * Reads the resources side by side, so that an order does not wait for its customer; the fence lets one transaction in
 * after the other.
 *
 * @returns why the whole fetch pauses; `null`: go on
 */
async function fetchGroups(
  context: Context,
  groups: Iterable<readonly [string, readonly Mark[]]>,
): Promise<ItemOutcome | null> {
  const { connector, row } = context.connection;
  const stops = await Promise.allSettled(
    [...groups].map(([name, marks]) => {
      const resource = connector.resources[name];
      if (!resource?.batchRead || !canRead(connector, row.grantedScopes, resource.model)) return drop(context, marks);
      return fetchGroup(context, resource, marks);
    }),
  );
  const failed = stops.find((stop) => stop.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return stops.map((stop) => (stop.status === "fulfilled" ? stop.value : null)).find((stop) => stop !== null) ?? null;
}

/** @returns why the whole fetch pauses; `null`: go on */
async function fetchGroup(
  context: Context,
  resource: Resource & { readonly batchRead: object | null },
  marks: readonly Mark[],
): Promise<ItemOutcome | null> {
  const queue = chunksOf(marks, resource.batchRead?.maxIds ?? 1);
  const apply = gather<Context, FetchedChunk, null>({
    run: applyChunks,
    batchMax: CHUNKS_PER_APPLY,
    oneAtFault: (error) => !(error instanceof LeaseLost),
  });
  let pause: ItemOutcome | null = null;

  const readOn = async () => {
    for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
      if (context.lane.signal.aborted) pause ??= { at: context.deps.clock.now() };
      if (pause !== null) return;
      const ids = chunk.map((mark) => mark.remoteId);
      const result = await fetchChunk(context.call, context.connection, resource, ids);
      const problem = result.ok
        ? await apply(context, { marks: chunk, result }).catch(internalError)
        : result.fault.kind;
      if (problem === null) continue;
      const next = result.ok ? "split" : afterFault(result.fault, context);
      if (next !== "split") pause ??= next;
      else if (chunk.length === 1) await putOff(context, chunk, problem);
      else {
        const half = Math.ceil(chunk.length / 2);
        queue.unshift(chunk.slice(0, half), chunk.slice(half));
      }
    }
  };
  const internalError = (error: unknown) => {
    if (error instanceof LeaseLost) throw error;
    context.deps.log.error({ error, ...context.connection.lane }, "fetched objects not applied");
    return "internal_error";
  };

  const readers = await Promise.allSettled(Array.from({ length: READS_AT_ONCE }, readOn));
  const failed = readers.find((reader) => reader.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return pause;
}

interface FetchedChunk {
  readonly marks: readonly Mark[];
  readonly result: Extract<Chunk, { readonly ok: true }>;
}

/** Applies what several reads found as if it were one, in one transaction. */
async function applyChunks(context: Context, chunks: readonly FetchedChunk[]): Promise<readonly null[]> {
  const { deps, lane, connection, sealer, progress } = context;
  const marks = chunks.flatMap((chunk) => chunk.marks);
  const left = progress.left - marks.length;
  let next: Progress["next"] = null;
  const results = chunks.map(({ result }) => result);
  const read = {
    objects: results.flatMap(({ objects }) => objects),
    rejected: results.flatMap(({ rejected }) => rejected),
    gone: results.flatMap(({ gone }) => gone),
    read: {
      startedAt: new Date(Math.min(...results.map(({ read }) => read.startedAt.getTime()))),
      endedAt: new Date(Math.max(...results.map(({ read }) => read.endedAt.getTime()))),
    },
  };
  await applyRead(deps, lane, connection, read, { announce: true, runId: null, sealer }, async (tx, applied) => {
    const again = new Set(applied.reread.map(({ resource, remoteId }) => `${resource} ${remoteId}`));
    await clear(
      tx,
      connection,
      marks.filter((mark) => !again.has(`${mark.resource} ${mark.remoteId}`)),
    );
    if (left === 0) next = await settleHeldUnlessDue(tx, context);
  });
  progress.left = left;
  progress.next = next;
  return chunks.map(() => null);
}

/** `split`: something about these objects; alone, the one at fault is found. */
function afterFault(fault: ProviderFault, { deps, item }: Context): ItemOutcome | "split" {
  const now = deps.clock.now();
  switch (fault.kind) {
    case "rate_limited":
      return { at: backOff(now, 0, fault.retryAfterSeconds) };
    case "unavailable":
      // Pauses of any kind count as attempts here, so this must not grow far.
      return { at: backOff(now, Math.min(item.attempts, UNAVAILABLE_STEPS_MAX)) };
    case "reauthorize":
    case "suspended":
      return { at: new Date(now.getTime() + INACTIVE_MS) };
    case "missing_scope":
    case "refused":
    case "too_large":
    case "gone":
    case "conflict":
    case "rejected":
      return "split";
    default:
      return assertNever(fault);
  }
}

async function putOff(context: Context, marks: readonly Mark[], problem: string): Promise<void> {
  const { deps, lane, connection, sealer } = context;
  const now = deps.clock.now();
  await deps.worker.withWorkspace(connection.owner.workspaceId, async (tx) => {
    await lane.fence(tx);
    for (const mark of marks) {
      if (mark.attempts + 1 < ATTEMPTS_MAX) {
        await tx
          .update(dirtyMarks)
          .set({ attempts: mark.attempts + 1, nextAt: backOff(now, mark.attempts + 2) })
          .where(isMark(mark));
        continue;
      }
      const { resource, remoteId } = mark;
      const rejected = [{ resource, remoteId, issuePath: "", issueCode: problem, item: null }];
      await quarantine(tx, deps, { owner: connection.owner, runId: null, rejected, sealer });
      await clear(tx, connection, [mark]);
      deps.log.error({ ...connection.lane, resource, problem }, "object not readable");
    }
  });
}

/**
 * Marks of resources that the connector has no more, cannot read by id, or may not read: the first run that may finds
 * what changed, since their cursor stayed.
 */
async function drop({ deps, lane, connection }: Context, marks: readonly Mark[]): Promise<null> {
  await deps.worker.withWorkspace(connection.owner.workspaceId, async (tx) => {
    await lane.fence(tx);
    await clear(tx, connection, marks);
  });
  return null;
}

/** What live hints marked; marks of replays only when there is nothing else. */
export async function dueMarks(
  tx: Tx,
  deps: Pick<FetchDeps, "clock">,
  key: Pick<LaneKey, "workspaceId" | "laneId">,
): Promise<readonly Mark[]> {
  return withoutPatient(await findDue(tx, deps, key));
}

function findDue(tx: Tx, deps: Pick<FetchDeps, "clock">, key: Pick<LaneKey, "workspaceId" | "laneId">) {
  return tx
    .select()
    .from(dirtyMarks)
    .where(
      and(
        eq(dirtyMarks.workspaceId, key.workspaceId),
        eq(dirtyMarks.connectionId, connectionOf(key)),
        lte(dirtyMarks.nextAt, deps.clock.now()),
      ),
    )
    .orderBy(asc(dirtyMarks.patient), asc(dirtyMarks.hintedAt))
    .limit(MARKS_MAX);
}

function withoutPatient(marks: readonly Mark[]): readonly Mark[] {
  const live = marks.filter((mark) => !mark.patient);
  return live.length > 0 ? live : marks.slice(0, PATIENT_MARKS_MAX);
}

/** Removes marks that did not get another hint since they were read. */
async function clear(tx: Tx, { owner }: LaneConnection, marks: readonly Mark[]): Promise<void> {
  if (marks.length === 0) return;
  await tx.execute(sql`
    delete from dirty_marks m
    using unnest(
      ${sql.param(marks.map((mark) => mark.resource))}::text[],
      ${sql.param(marks.map((mark) => mark.remoteId))}::text[],
      ${sql.param(marks.map((mark) => mark.generation))}::bigint[]
    ) as seen (resource, remote_id, generation)
    where m.workspace_id = ${owner.workspaceId} and m.connection_id = ${owner.connectionId}
      and m.resource = seen.resource and m.remote_id = seen.remote_id and m.generation = seen.generation`);
}

async function settle(
  deps: FetchDeps,
  lane: ClaimedLane,
  item: LaneItem,
  { owner }: LaneConnection,
  outcome: ItemOutcome,
): Promise<void> {
  await deps.worker.withWorkspace(owner.workspaceId, (tx) => lane.settle(tx, [{ id: item.id, outcome }]));
}

/**
 * Ends the item when no mark is left, or puts it off to the next one, under the lane's lock, which whoever makes a mark
 * holds as well.
 *
 * @returns marks that are due: then nothing was done
 */
async function settleUnlessDue(context: Context): Promise<readonly Mark[]> {
  const { deps, lane, connection } = context;
  return deps.worker.withWorkspace(connection.owner.workspaceId, async (tx) => {
    await lane.fence(tx);
    return settleHeldUnlessDue(tx, context);
  });
}

/** Behind the lane's fence. */
async function settleHeldUnlessDue(tx: Tx, { deps, lane, item }: Context): Promise<readonly Mark[]> {
  const [due, [soonest]] = await sideBySide(findDue(tx, deps, lane.key), soonestMark(tx, lane.key));
  if (due.length > 0) return withoutPatient(due);
  await lane.settle(tx, [{ id: item.id, outcome: soonest === undefined ? "done" : { at: soonest.nextAt } }]);
  return [];
}

function soonestMark(tx: Tx, key: Pick<LaneKey, "workspaceId" | "laneId">) {
  return tx
    .select({ nextAt: dirtyMarks.nextAt })
    .from(dirtyMarks)
    .where(and(eq(dirtyMarks.workspaceId, key.workspaceId), eq(dirtyMarks.connectionId, connectionOf(key))))
    .orderBy(asc(dirtyMarks.nextAt))
    .limit(1);
}

function later(deps: FetchDeps, ms: number): ItemOutcome {
  return { at: new Date(deps.clock.now().getTime() + ms) };
}

function isMark(mark: Mark) {
  return and(
    eq(dirtyMarks.workspaceId, mark.workspaceId),
    eq(dirtyMarks.connectionId, mark.connectionId),
    eq(dirtyMarks.resource, mark.resource),
    eq(dirtyMarks.remoteId, mark.remoteId),
  );
}

function byResource(marks: readonly Mark[]): ReadonlyMap<string, readonly Mark[]> {
  return Map.groupBy(marks, (mark) => mark.resource);
}

function chunksOf(marks: readonly Mark[], size: number): (readonly Mark[])[] {
  return Array.from({ length: Math.ceil(marks.length / size) }, (_, index) =>
    marks.slice(index * size, (index + 1) * size),
  );
}
