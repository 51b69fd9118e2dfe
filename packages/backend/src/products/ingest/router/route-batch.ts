import { encodeId, type InboxId, type SourceId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { and, arrayOverlaps, eq, inArray, isNotNull, isNull, or, sql } from "drizzle-orm";
import { connections } from "../../../domain/connections/index.ts";
import { appendEvents, type NewEvent } from "../../../domain/events/index.ts";
import type { Sealer } from "../../../domain/vault/index.ts";
import { getWorkspace, tenantExternalId, tenants } from "../../../domain/workspaces/index.ts";
import { NIL_UUID, type Tx } from "../../../platform/db/index.ts";
import { enqueue, queueArrivals } from "../../../platform/lanes/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import type { IngestDeps } from "../deps.ts";
import { markDirty } from "../fetcher/mark-dirty.ts";
import { shredSources } from "../forget-tenant.ts";
import { inbox, inboxDedupe, inboxOutcomes, privacyRequests, sources } from "../tables.ts";
import { fetchItem, hintItem, lockLanes } from "../tasks.ts";
import { dedupeKey, planRoutes, type PrivacyHint, type RoutableConnection, type RoutePlan } from "./plan-routes.ts";
import { type ArrivalRef, isArrival, readArrivals, type ReadArrival } from "./read-arrivals.ts";

export type RouteDeps = Pick<IngestDeps, "worker" | "vault" | "connectorById" | "clock" | "log" | "wake">;

/** What a batch made true, for the log and for waking others. */
export interface Routed {
  readonly arrivals: number;
  readonly plan: RoutePlan;
}

/**
 * Turns arrivals of one workspace into marks, lane items and outcomes. All effects and the end of the arrivals are one
 * transaction; bodies are opened before it. Arrivals that another router has by then are left to it.
 */
export async function routeBatch(
  deps: RouteDeps,
  workspaceId: WorkspaceId,
  refs: readonly ArrivalRef[],
): Promise<Routed> {
  const arrivals = await readArrivals(deps, workspaceId, refs);
  const known = await deps.worker.withWorkspace(workspaceId, (tx) => findConnections(tx, workspaceId, arrivals));
  const sealers = await sealersForPrivacy(deps, workspaceId, arrivals, known);
  const mode = sealers.size === 0 ? "live" : (await getWorkspace(deps.worker, workspaceId)).mode;
  const routed = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const held = await holdArrivals(tx, refs);
    const mine = arrivals.filter((arrival) => held.has(arrival.inboxId));
    await lockLanes(
      tx,
      known.map((connection) => laneOwner(workspaceId, connection)),
    );
    const fresh = await takeDedupeKeys(tx, workspaceId, mine, deps.clock.now());
    const plan = planRoutes(mine, known, fresh, deps.connectorById);
    await write(tx, deps, workspaceId, plan);
    for (const hint of plan.privacy) await tellPrivacy(tx, deps, workspaceId, mode, sealers, hint);
    const strays = refs.filter((ref) => held.has(ref.id) && !mine.some((arrival) => arrival.inboxId === ref.id));
    if (strays.length > 0) await shredStrays(tx, deps, workspaceId, strays);
    await tx.delete(queueArrivals).where(inArray(queueArrivals.id, [...held]));
    return { arrivals: held.size, plan };
  });
  if (routed.plan.tasks.length > 0) deps.wake.poke("lanes:connection");
  if (routed.plan.privacy.length > 0) deps.wake.poke("events");
  for (const outcome of routed.plan.outcomes) {
    if (outcome.status !== "quarantined" && outcome.status !== "unrouted") continue;
    const { inboxId, status, problem, topic } = outcome;
    deps.log.warn({ workspaceId, inboxId, status, problem, topic }, "delivery not routed");
  }
  return routed;
}

/** Every connection that the arrivals may concern, ended ones too; those of erased tenants concern nobody. */
async function findConnections(
  tx: Tx,
  workspaceId: WorkspaceId,
  arrivals: readonly ReadArrival[],
): Promise<readonly RoutableConnection[]> {
  const ids = arrivals.flatMap(({ source }) => source.connectionId ?? []);
  const keys = arrivals
    .filter(({ source }) => source.connectionId === null)
    .flatMap(({ content }) =>
      "changes" in content ? content.changes.flatMap(({ accountKey }) => accountKey ?? []) : [],
    );
  if (ids.length === 0 && keys.length === 0) return [];
  const rows = await tx
    .select({ connection: connections })
    .from(connections)
    .innerJoin(tenants, and(eq(tenants.workspaceId, connections.workspaceId), eq(tenants.uid, connections.tenantUid)))
    .where(
      and(
        eq(connections.workspaceId, workspaceId),
        or(
          ids.length === 0 ? undefined : inArray(connections.id, ids),
          keys.length === 0 ? undefined : inArray(connections.accountId, keys),
          keys.length === 0 ? undefined : arrayOverlaps(connections.accountAliases, keys),
        ),
        isNotNull(connections.activatedAt),
        isNull(tenants.erasedAt),
      ),
    );
  return rows.map(({ connection }) => ({ ...connection, ended: connection.endedAt !== null }));
}

/** Locks the arrivals that nobody else holds. */
async function holdArrivals(tx: Tx, refs: readonly ArrivalRef[]): Promise<ReadonlySet<InboxId>> {
  const ids = refs.map((ref) => ref.id);
  const rows = await tx.execute<{ id: InboxId }>(sql`
    select id from queue.arrivals where id = any(${sql.param(ids)}::uuid[]) order by id for update skip locked`);
  return new Set([...rows].map((row) => row.id));
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

/** Remembers the keys of these deliveries. @returns whether an element is the first of its key */
async function takeDedupeKeys(
  tx: Tx,
  workspaceId: WorkspaceId,
  arrivals: readonly ReadArrival[],
  now: Date,
): Promise<(sourceId: SourceId, key: string) => boolean> {
  const name = (sourceId: SourceId, key: Uint8Array) => `${sourceId} ${Buffer.from(key).toString("hex")}`;
  const wanted = new Map<string, { readonly sourceId: SourceId; readonly key: Uint8Array }>();
  for (const { source, content } of arrivals) {
    for (const change of "changes" in content ? content.changes : []) {
      const key = dedupeKey(change.dedupeKey);
      wanted.set(name(source.id, key), { sourceId: source.id, key });
    }
  }
  if (wanted.size === 0) return () => true;
  const rows = await tx
    .insert(inboxDedupe)
    .values(
      // In one order, so that two routers never wait for each other.
      [...wanted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => ({ ...row, workspaceId, seenAt: now })),
    )
    .onConflictDoNothing()
    .returning({ sourceId: inboxDedupe.sourceId, key: inboxDedupe.key });
  const fresh = new Set(rows.map((row) => name(row.sourceId, row.key)));
  return (sourceId, key) => fresh.delete(name(sourceId, dedupeKey(key)));
}

async function write(tx: Tx, deps: RouteDeps, workspaceId: WorkspaceId, plan: RoutePlan): Promise<void> {
  const now = deps.clock.now();
  await markDirty(tx, workspaceId, plan.dirty, now);
  const tasks = new Map(plan.tasks.map((each) => [`${each.task} ${each.connection.id}`, each]));
  await enqueue(
    tx,
    [...tasks.values()].map(({ connection, task }) => {
      const owner = laneOwner(workspaceId, connection);
      return task === "fetch" ? fetchItem(owner, now) : hintItem(owner, task, now);
    }),
  );
  if (plan.outcomes.length === 0) return;
  await tx
    .insert(inboxOutcomes)
    .values(
      plan.outcomes.map(({ connection, ...outcome }) => ({
        ...outcome,
        workspaceId,
        connectionId: connection?.id ?? null,
        tenantUid: connection?.tenantUid ?? null,
        routedAt: now,
      })),
    )
    .onConflictDoNothing();
}

/** Sealers must be had before the transaction: one per tenant that a privacy request concerns, and the workspace's. */
async function sealersForPrivacy(
  deps: RouteDeps,
  workspaceId: WorkspaceId,
  arrivals: readonly ReadArrival[],
  known: readonly RoutableConnection[],
): Promise<ReadonlyMap<string, Sealer>> {
  const asksPrivacy = arrivals.some(
    ({ content }) => "changes" in content && content.changes.some(({ hint }) => hint.kind === "privacy"),
  );
  const sealers = new Map<string, Sealer>();
  if (!asksPrivacy) return sealers;
  for (const tenantUid of new Set<TenantUid | typeof NIL_UUID>([NIL_UUID, ...known.map((each) => each.tenantUid)])) {
    sealers.set(tenantUid, await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" }));
  }
  return sealers;
}

/** Keeps the request; redactions are told to the host, per tenant concerned, or once for the workspace. */
async function tellPrivacy(
  tx: Tx,
  deps: RouteDeps,
  workspaceId: WorkspaceId,
  mode: "live" | "test",
  sealers: ReadonlyMap<string, Sealer>,
  hint: PrivacyHint,
): Promise<void> {
  const { inboxId, provider, request, receivedAt } = hint;
  await tx.insert(privacyRequests).values({ workspaceId, id: newId(), inboxId, provider, request, receivedAt });
  deps.log.warn({ workspaceId, inboxId, provider, request }, "privacy request received");
  if (request === "data_request") return;
  const data = { request, provider, inboxId: encodeId("inb", inboxId) };
  const byTenant = new Map(hint.connections.map((connection) => [connection.tenantUid, connection]));
  for (const connection of byTenant.size === 0 ? [null] : byTenant.values()) {
    const tenantUid = connection?.tenantUid ?? (NIL_UUID as TenantUid);
    const sealer = sealers.get(tenantUid);
    if (sealer === undefined) throw new Error("no sealer for a privacy request");
    const event: NewEvent = {
      workspaceId,
      tenantUid,
      tenantExternalId: connection && (await tenantExternalId(tx, { workspaceId, uid: tenantUid })),
      connection,
      type: "privacy.redactRequested",
      mode,
      occurredAt: deps.clock.now(),
      data,
    };
    await appendEvents(tx, sealer, [event]);
  }
}

function laneOwner(workspaceId: WorkspaceId, connection: RoutableConnection) {
  return { workspaceId, tenantUid: connection.tenantUid, connectionId: connection.id };
}
