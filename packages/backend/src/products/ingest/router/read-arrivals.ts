import type { ConnectionId, InboxId, SourceId, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { restoreDelivery, type ProviderChange } from "../../../connectors/kit/index.ts";
import { KeyDestroyedError } from "../../../domain/vault/index.ts";
import { isOneOf } from "../../../platform/db/index.ts";
import type { IngestDeps } from "../deps.ts";
import { inboxPlace } from "../inbox/accept.ts";
import { inbox, sources } from "../tables.ts";

/** One delivery, opened and understood as far as it can be. */
export interface ReadArrival {
  readonly inboxId: InboxId;
  readonly receivedAt: Date;
  readonly source: { readonly id: SourceId; readonly provider: string; readonly connectionId: ConnectionId | null };
  /** What it says, or why it says nothing. */
  readonly content: { readonly changes: readonly ProviderChange[] } | { readonly problem: ArrivalProblem };
}
/** Stable codes of quarantined deliveries. */
export type ArrivalProblem = "not_json" | "unknown_shape" | "key_destroyed" | "routing_failed" | "too_many_elements";

export interface ArrivalRef {
  readonly id: InboxId;
  readonly receivedAt: Date;
}

export interface SizedArrivalRef extends ArrivalRef {
  /** Of the body. */
  readonly bytes: number;
}

/** Opens and reads deliveries of one workspace. Nothing is written or locked. */
export async function readArrivals(
  deps: Pick<IngestDeps, "worker" | "vault" | "connectorById">,
  workspaceId: WorkspaceId,
  refs: readonly ArrivalRef[],
): Promise<readonly ReadArrival[]> {
  const rows = await deps.worker.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ item: inbox, source: sources })
      .from(inbox)
      .innerJoin(sources, and(eq(sources.workspaceId, inbox.workspaceId), eq(sources.id, inbox.sourceId)))
      .where(isArrival(workspaceId, refs)),
  );
  const open = await deps.vault.opener(
    workspaceId,
    rows.map(({ item }) => item.bodyKeyId),
  );
  return rows.map(({ item, source }) => ({
    inboxId: item.id,
    receivedAt: item.receivedAt,
    source: { id: source.id, provider: source.provider, connectionId: source.connectionId },
    content: contentOf(deps, item, open),
  }));
}

export function isArrival(workspaceId: WorkspaceId, refs: readonly ArrivalRef[]) {
  return and(
    eq(inbox.workspaceId, workspaceId),
    // The times name the partitions.
    isOneOf(
      inbox.receivedAt,
      refs.map((ref) => ref.receivedAt),
    ),
    isOneOf(
      inbox.id,
      refs.map((ref) => ref.id),
    ),
  );
}

function contentOf(
  deps: Pick<IngestDeps, "connectorById">,
  item: typeof inbox.$inferSelect,
  open: (place: ReturnType<typeof inboxPlace>, sealed: Uint8Array) => Uint8Array,
): ReadArrival["content"] {
  try {
    const delivery = restoreDelivery(item.headers, open(inboxPlace(item.id), item.body));
    const changes = deps.connectorById(item.provider)?.webhooks?.parse(delivery) ?? null;
    if (changes !== null) return { changes };
    return { problem: delivery.body === null ? "not_json" : "unknown_shape" };
  } catch (error) {
    if (error instanceof KeyDestroyedError) return { problem: "key_destroyed" };
    throw error;
  }
}
