import type { InboxId, WorkspaceId } from "@patchbay/shared";
import { and, eq, isNull } from "drizzle-orm";
import { sideBySide, type Tx } from "../../../platform/db/index.ts";
import { enqueue } from "../../../platform/lanes/index.ts";
import type { IngestDeps } from "../deps.ts";
import { markDirty } from "../fetcher/mark-dirty.ts";
import { shredSources } from "../forget-tenant.ts";
import { inbox, sources } from "../tables.ts";
import { fetchItem, hintItem } from "../tasks.ts";
import { findConnections } from "./find-connections.ts";
import { beginParking } from "./parking.ts";
import { planRoutes, type RoutableConnection, type RoutePlan } from "./plan-routes.ts";
import { type ArrivalRef, isArrival, readArrivals, type ReadArrival } from "./read-arrivals.ts";
import { takeDedupeKeys } from "./take-dedupe-keys.ts";
import { preparePrivacy, tellPrivacy } from "./tell-privacy.ts";
import { readPriorStatus, writeOutcomes } from "./write-outcomes.ts";

export type RouteDeps = Pick<IngestDeps, "worker" | "vault" | "connectorById" | "clock" | "log" | "wake">;

/** Whose deliveries these are, in the transaction that routes them. */
export interface Claim {
  /** Locks; what it does not name is left to others. */
  hold(tx: Tx): Promise<ReadonlySet<InboxId>>;
  /** Ends what was held, last. */
  end(tx: Tx, held: ReadonlySet<InboxId>, routed: Routed): Promise<void>;
  /**
   * `null`: for the first time. Else once more: what was a copy stays one unless `copiesToo`, what was passed on about
   * people's data is not passed on again, and live work goes first.
   */
  readonly again: { readonly copiesToo: boolean } | null;
}

/** What a batch made true. */
export interface Routed {
  readonly arrivals: number;
  /** Of them, those that nobody can read any more, or whose address is gone. */
  readonly unreadable: number;
  readonly plan: RoutePlan;
}

/**
 * Turns deliveries of one workspace into marks, lane items and outcomes. All effects and the end of the claim are one
 * transaction; bodies are opened before it.
 */
export async function routeBatch(
  deps: RouteDeps,
  workspaceId: WorkspaceId,
  refs: readonly ArrivalRef[],
  claim: Claim,
): Promise<Routed> {
  const arrivals = await readArrivals(deps, workspaceId, refs);
  for (let tries = 1; ; tries++) {
    try {
      const routed = await routeRead(deps, workspaceId, refs, arrivals, claim);
      tell(deps, workspaceId, routed);
      return routed;
    } catch (error) {
      if (!(error instanceof ConnectionAppeared) || tries >= TRIES_MAX) throw error;
    }
  }
}

/** Connections may appear while a batch is being routed; it begins again this often. */
const TRIES_MAX = 3;

class ConnectionAppeared extends Error {
  override readonly name = "ConnectionAppeared";
}

async function routeRead(
  deps: RouteDeps,
  workspaceId: WorkspaceId,
  refs: readonly ArrivalRef[],
  arrivals: readonly ReadArrival[],
  claim: Claim,
): Promise<Routed> {
  const privacy = await preparePrivacy(deps, workspaceId, arrivals);
  return deps.worker.withWorkspace(
    workspaceId,
    async (tx) => {
      const [held, known] = await sideBySide(claim.hold(tx), findConnections(tx, workspaceId, arrivals));
      if (privacy !== null && known.some(({ tenantUid }) => !privacy.sealers.has(tenantUid)))
        throw new ConnectionAppeared();
      const mine = arrivals.filter((arrival) => held.has(arrival.inboxId));
      const { plan, left } = await planHeld(tx, deps, { workspaceId, mine, known, claim });
      if (plan.outcomes.some(({ waitsFor }) => waitsFor !== null)) {
        await beginParking(tx, workspaceId);
        const now = await findConnections(tx, workspaceId, mine);
        if (liveOf(now).some((id) => !liveOf(known).includes(id))) throw new ConnectionAppeared();
      }
      if (privacy !== null) for (const hint of plan.privacy) await tellPrivacy(tx, deps, workspaceId, privacy, hint);
      const strays = refs.filter((ref) => held.has(ref.id) && !mine.some((arrival) => arrival.inboxId === ref.id));
      if (strays.length > 0) await shredStrays(tx, deps, workspaceId, strays);
      const now = deps.clock.now();
      await sideBySide(
        writeOutcomes(tx, { workspaceId, outcomes: plan.outcomes, again: claim.again !== null, now }),
        handOver(tx, workspaceId, plan, now),
      );
      const result = { arrivals: held.size, unreadable: strays.length + left, plan };
      await sideBySide(markDirty(tx, workspaceId, plan.dirty, now), claim.end(tx, held, result));
      return result;
    },
    { planOnce: true },
  );
}

function liveOf(known: readonly RoutableConnection[]): readonly string[] {
  return known.filter(({ ended }) => !ended).map(({ id }) => id);
}

function tell(deps: RouteDeps, workspaceId: WorkspaceId, routed: Routed): void {
  if (routed.plan.tasks.length > 0) deps.wake.poke("lanes:connection");
  if (routed.plan.privacy.length > 0) deps.wake.poke("events");
  for (const outcome of routed.plan.outcomes) {
    if (outcome.status !== "quarantined" && outcome.status !== "unrouted") continue;
    const { inboxId, status, problem, topic } = outcome;
    deps.log.warn({ workspaceId, inboxId, status, problem, topic }, "delivery not routed");
  }
}

interface Held {
  readonly workspaceId: WorkspaceId;
  readonly mine: readonly ReadArrival[];
  readonly known: readonly RoutableConnection[];
  readonly claim: Claim;
}

/** @returns with `left`, how many are left as they are since their keys are gone */
async function planHeld(
  tx: Tx,
  deps: RouteDeps,
  { workspaceId, mine, known, claim }: Held,
): Promise<{ readonly plan: RoutePlan; readonly left: number }> {
  const isNew = await takeDedupeKeys(tx, workspaceId, mine, deps.clock.now());
  const { again } = claim;
  if (again === null) return { plan: planRoutes(mine, known, isNew, deps.connectorById), left: 0 };
  const readable = mine.filter(({ content }) => !("problem" in content) || content.problem !== "key_destroyed");
  const prior = await readPriorStatus(
    tx,
    workspaceId,
    readable.map(({ inboxId }) => inboxId),
  );
  const plan = planRoutes(
    readable,
    known,
    ({ inboxId }, _, element) => again.copiesToo || prior(inboxId, element) !== "duplicate",
    deps.connectorById,
    ({ inboxId }, element) => prior(inboxId, element) === "routed",
  );
  const dirty = plan.dirty.map((hint) => ({ ...hint, patient: true }));
  return { plan: { ...plan, dirty }, left: mine.length - readable.length };
}

/** An address that is gone was an erased tenant's: what still came to it is made unreadable. */
async function shredStrays(
  tx: Tx,
  deps: Pick<RouteDeps, "vault">,
  workspaceId: WorkspaceId,
  refs: readonly ArrivalRef[],
): Promise<void> {
  const rows = await tx
    .selectDistinct({ sourceId: inbox.sourceId })
    .from(inbox)
    .leftJoin(sources, and(eq(sources.workspaceId, inbox.workspaceId), eq(sources.id, inbox.sourceId)))
    .where(and(isArrival(workspaceId, refs), isNull(sources.id)));
  await shredSources(tx, deps, { workspaceId, sourceIds: rows.map((row) => row.sourceId) });
}

/**
 * Lane items, as late as can be: whoever works one of the lanes waits from here on. Marks come after them, see
 * `lockLanes`.
 */
async function handOver(tx: Tx, workspaceId: WorkspaceId, plan: RoutePlan, now: Date): Promise<void> {
  const tasks = new Map(plan.tasks.map((each) => [`${each.task} ${each.connection.id}`, each]));
  await enqueue(
    tx,
    [...tasks.values()].map(({ connection, task }) => {
      const owner = laneOwner(workspaceId, connection);
      return task === "fetch" ? fetchItem(owner, now) : hintItem(owner, task, now);
    }),
  );
}

function laneOwner(workspaceId: WorkspaceId, connection: RoutableConnection) {
  return { workspaceId, tenantUid: connection.tenantUid, connectionId: connection.id };
}
