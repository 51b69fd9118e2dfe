import { and, eq, notInArray } from "drizzle-orm";
import type { ProviderFault, Webhooks } from "../../../connectors/kit/index.ts";
import { grants } from "../../../domain/connections/index.ts";
import type { IngestDeps } from "../deps.ts";
import type { LaneConnection } from "../lane-connection.ts";
import type { Call } from "../read-items.ts";
import { createSource } from "../sources/create-source.ts";
import { sourceUrl } from "../sources/source-path.ts";
import { subscriptions } from "../tables.ts";

export type SubscribeDeps = Pick<IngestDeps, "worker" | "clock" | "log" | "publicUrl">;

/** `refused`: topics that the provider would not give us; polling covers them. */
export type Registered =
  | { readonly ok: true; readonly created: number; readonly refused: readonly string[] }
  | { readonly ok: false; readonly fault: ProviderFault };

const PAGES_MAX = 50;

/**
 * Makes sure that the provider posts every topic of the connection's models to its source: lists what is there,
 * creates what is missing, remembers both. Safe to repeat at any time.
 */
export async function registerSubscriptions(
  deps: SubscribeDeps,
  call: Call,
  connection: LaneConnection,
): Promise<Registered> {
  const { webhooks } = connection.connector;
  if (webhooks === null) return { ok: true, created: 0, refused: [] };
  const uri = await ensureSource(deps, connection);
  const existing = await listExisting(call, webhooks, uri);
  if ("fault" in existing) return { ok: false, fault: existing.fault };
  const found = new Map(existing.remoteIds);
  const refused: string[] = [];
  let created = 0;
  for (const topic of webhooks.topics(connection.row.models)) {
    if (found.has(topic)) continue;
    const outcome = await call(webhooks.subscriptions.create(topic, uri));
    if (!outcome.ok && (outcome.fault.kind === "missing_scope" || outcome.fault.kind === "rejected")) {
      refused.push(topic);
      continue;
    }
    if (!outcome.ok) return { ok: false, fault: outcome.fault };
    const { remoteId } = webhooks.subscriptions.parseCreate(outcome.response);
    if (remoteId === null) {
      refused.push(topic);
      continue;
    }
    found.set(topic, remoteId);
    created++;
  }
  await remember(deps, connection, uri, found);
  if (refused.length > 0) deps.log.warn({ ...connection.lane, refused }, "webhook topics refused");
  return { ok: true, created, refused };
}

async function ensureSource(deps: SubscribeDeps, { row }: LaneConnection): Promise<string> {
  const { workspaceId, id: connectionId, provider, grantId } = row;
  const now = deps.clock.now();
  const sourceId = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const [grant] = await tx
      .select({ providerAppId: grants.providerAppId })
      .from(grants)
      .where(and(eq(grants.workspaceId, workspaceId), eq(grants.id, grantId)));
    if (grant === undefined) throw new Error("a connection without its grant");
    return createSource(tx, { workspaceId, connectionId, provider, ...grant, now });
  });
  return sourceUrl(deps.publicUrl, provider, { workspaceId, sourceId });
}

/** Subscriptions that lead to `uri`, by topic. Others are not ours to judge: another connection may own them. */
async function listExisting(
  call: Call,
  webhooks: Webhooks,
  uri: string,
): Promise<{ readonly remoteIds: ReadonlyMap<string, string> } | { readonly fault: ProviderFault }> {
  const remoteIds = new Map<string, string>();
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const outcome = await call(webhooks.subscriptions.list(cursor));
    if (!outcome.ok) return { fault: outcome.fault };
    const listed = webhooks.subscriptions.parseList(outcome.response);
    for (const each of listed.subscriptions) {
      if (each.uri === uri) remoteIds.set(each.topic, each.remoteId);
    }
    cursor = listed.nextCursor;
    if (cursor === null) break;
  }
  return { remoteIds };
}

async function remember(
  deps: SubscribeDeps,
  { owner }: LaneConnection,
  uri: string,
  found: ReadonlyMap<string, string>,
): Promise<void> {
  const { workspaceId, connectionId } = owner;
  const checkedAt = deps.clock.now();
  const mine = and(eq(subscriptions.workspaceId, workspaceId), eq(subscriptions.connectionId, connectionId));
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await tx
      .delete(subscriptions)
      .where(found.size === 0 ? mine : and(mine, notInArray(subscriptions.topic, [...found.keys()])));
    for (const [topic, remoteId] of found) {
      const values = { remoteId, uri, checkedAt };
      await tx
        .insert(subscriptions)
        .values({ workspaceId, connectionId, topic, ...values })
        .onConflictDoUpdate({
          target: [subscriptions.workspaceId, subscriptions.connectionId, subscriptions.topic],
          set: values,
        });
    }
  });
}
