import type { WorkspaceId } from "@patchbay/shared";
import { eq, sql } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Authenticator } from "../vault/index.ts";
import type { AuditAct } from "./act.ts";
import { GENESIS, chainHash, toEntry, type EntryRow } from "./chain.ts";
import { auditEntries, auditHeads } from "./tables.ts";

/** Appends to the end of a workspace's chain, which stays locked until the transaction ends. */
export async function appendActs(
  deps: { readonly clock: Clock },
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly key: Authenticator; readonly acts: readonly AuditAct[] },
): Promise<void> {
  const { workspaceId, key, acts } = input;
  let { sequence, hash } = await lockHead(tx, workspaceId);
  const recordedAt = deps.clock.now();
  const rows: EntryRow[] = [];
  for (const act of acts) {
    sequence += 1;
    const facts = factsOf(act, { workspaceId, sequence, recordedAt });
    hash = chainHash(hash, toEntry(facts));
    rows.push({ ...facts, hash, mac: key.mac(hash), macKeyId: key.keyId });
  }
  await tx.insert(auditEntries).values(rows);
  await tx.update(auditHeads).set({ sequence, hash }).where(eq(auditHeads.workspaceId, workspaceId));
}

function factsOf(act: AuditAct, place: Pick<EntryRow, "workspaceId" | "sequence" | "recordedAt">) {
  return {
    ...place,
    kind: act.kind ?? "fact",
    action: act.action,
    actorKind: act.actor.kind,
    actorId: act.actor.id,
    targetType: act.target.type,
    targetId: act.target.id,
    tenantUid: act.tenantUid ?? null,
    requestId: act.requestId ?? null,
    clientAddress: act.clientAddress ?? null,
    details: act.details ?? {},
  } as const;
}

/** A chain begins when it is first locked. */
async function lockHead(tx: Tx, workspaceId: WorkspaceId): Promise<typeof auditHeads.$inferSelect> {
  const [head] = await tx
    .insert(auditHeads)
    .values({ workspaceId, sequence: 0, hash: GENESIS })
    .onConflictDoUpdate({ target: auditHeads.workspaceId, set: { sequence: sql`${auditHeads.sequence}` } })
    .returning();
  if (head === undefined) throw new Error("the head of the audit log was not locked");
  return head;
}
