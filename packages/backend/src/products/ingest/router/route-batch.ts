import type { InboxId, WorkspaceId } from "@patchbay/shared";
import { and, arrayOverlaps, eq, isNotNull, isNull, or } from "drizzle-orm";
import { connections } from "../../../domain/connections/index.ts";
import { tenants } from "../../../domain/workspaces/index.ts";
import { isOneOf, type Tx } from "../../../platform/db/index.ts";
import { enqueue } from "../../../platform/lanes/index.ts";
import type { IngestDeps } from "../deps.ts";
import { markDirty } from "../fetcher/mark-dirty.ts";
import { shredSources } from "../forget-tenant.ts";
import { inbox, sources } from "../tables.ts";
import { fetchItem, hintItem, lockLanes } from "../tasks.ts";
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
  const known = await deps.worker.withWorkspace(workspaceId, (tx) => findConnections(tx, workspaceId, arrivals));
  const privacy = await preparePrivacy(deps, workspaceId, arrivals, known);
  return deps.worker.withWorkspace(workspaceId, async (tx) => {
    const held = await claim.hold(tx);
    const mine = arrivals.filter((arrival) => held.has(arrival.inboxId));
    const { plan, left } = await planHeld(tx, deps, { workspaceId, mine, known, claim });
    if (plan.outcomes.some(({ waitsFor }) => waitsFor !== null)) {
      await beginParking(tx, workspaceId);
      const now = await findConnections(tx, workspaceId, mine);
      if (liveOf(now).some((id) => !liveOf(known).includes(id))) throw new ConnectionAppeared();
    }
    await writeOutcomes(tx, {
      workspaceId,
      outcomes: plan.outcomes,
      again: claim.again !== null,
      now: deps.clock.now(),
    });
    for (const hint of plan.privacy) await tellPrivacy(tx, deps, workspaceId, privacy, hint);
    const strays = refs.filter((ref) => held.has(ref.id) && !mine.some((arrival) => arrival.inboxId === ref.id));
    if (strays.length > 0) await shredStrays(tx, deps, workspaceId, strays);
    await handOver(tx, deps, workspaceId, plan);
    const result = { arrivals: held.size, unreadable: strays.length + left, plan };
    await claim.end(tx, held, result);
    return result;
  });
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

/** Every connection that the arrivals may concern, ended ones too; those of erased tenants concern nobody. */
async function findConnections(
  tx: Tx,
  workspaceId: WorkspaceId,
  arrivals: readonly ReadArrival[],
): Promise<readonly RoutableConnection[]> {
  const ids = arrivals.flatMap(({ source }) => source.connectionId ?? []);
  const keys = new Set(
    arrivals
      .filter(({ source }) => source.connectionId === null)
      .flatMap(({ content }) =>
        "changes" in content ? content.changes.flatMap(({ accountKey }) => accountKey ?? []) : [],
      )
      .filter((key) => !key.includes("\0") && key.isWellFormed()),
  );
  if (ids.length === 0 && keys.size === 0) return [];
  const rows = await tx
    .select({ connection: connections })
    .from(connections)
    .innerJoin(tenants, and(eq(tenants.workspaceId, connections.workspaceId), eq(tenants.uid, connections.tenantUid)))
    .where(
      and(
        eq(connections.workspaceId, workspaceId),
        or(
          ids.length === 0 ? undefined : isOneOf(connections.id, ids),
          keys.size === 0 ? undefined : isOneOf(connections.accountId, [...keys]),
          keys.size === 0 ? undefined : arrayOverlaps(connections.accountAliases, [...keys]),
        ),
        isNotNull(connections.activatedAt),
        isNull(tenants.erasedAt),
      ),
    );
  return rows.map(({ connection }) => ({ ...connection, ended: connection.endedAt !== null }));
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

/** Marks and lane items, as late as can be: whoever works one of the lanes waits from here on. */
async function handOver(tx: Tx, deps: RouteDeps, workspaceId: WorkspaceId, plan: RoutePlan): Promise<void> {
  const now = deps.clock.now();
  const tasks = new Map(plan.tasks.map((each) => [`${each.task} ${each.connection.id}`, each]));
  const owners = [...tasks.values()].map(({ connection }) => laneOwner(workspaceId, connection));
  await lockLanes(tx, owners);
  await markDirty(tx, workspaceId, plan.dirty, now);
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
