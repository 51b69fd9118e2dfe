import type { WorkspaceId } from "@patchbay/shared";
import { eq, sql } from "drizzle-orm";
import { NIL_UUID, type Tx, type WithWorkspace } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Authenticator, Vault } from "../vault/index.ts";
import { checkAct, type AuditAct } from "./act.ts";
import { GENESIS, chainHash, toEntry } from "./chain.ts";
import { auditEntries, auditHeads } from "./tables.ts";

/** Appends to one workspace's log inside a transaction of the caller's. */
export interface AuditWriter {
  /**
   * Call it last in the transaction: from here to the commit everybody else who appends in this workspace waits.
   * A rollback takes the entry along.
   */
  append(tx: Tx, act: AuditAct): Promise<void>;
}

/** What was done, by whom, to what: one chain of hashes per workspace that nobody can change unseen. */
export interface Audit {
  /** Loads the workspace's key. Call it before the transaction that appends. */
  writer(workspaceId: WorkspaceId): Promise<AuditWriter>;
  /** Appends in a transaction of its own: for acts whose own transaction is not at hand. */
  record(workspaceId: WorkspaceId, act: AuditAct): Promise<void>;
}

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Pick<Vault, "authenticator">;
  readonly clock: Clock;
}

export function createAudit(deps: Deps): Audit {
  async function writer(workspaceId: WorkspaceId): Promise<AuditWriter> {
    const key = await deps.vault.authenticator({ workspaceId, tenantUid: NIL_UUID, purpose: "audit", scope: "chain" });
    return { append: (tx, act) => append(deps, tx, { workspaceId, key, act }) };
  }
  return {
    writer,
    async record(workspaceId, act) {
      const entries = await writer(workspaceId);
      await deps.withWorkspace(workspaceId, (tx) => entries.append(tx, act));
    },
  };
}

async function append(
  deps: Deps,
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly key: Authenticator; readonly act: AuditAct },
): Promise<void> {
  const { workspaceId, key, act } = input;
  checkAct(act);
  const head = await lockHead(tx, workspaceId);
  const facts = {
    workspaceId,
    sequence: head.sequence + 1,
    recordedAt: deps.clock.now(),
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
  const hash = chainHash(head.hash, toEntry(facts));
  await tx.insert(auditEntries).values({ ...facts, hash, mac: key.mac(hash), macKeyId: key.keyId });
  await tx.update(auditHeads).set({ sequence: facts.sequence, hash }).where(eq(auditHeads.workspaceId, workspaceId));
}

/** The end of the chain, locked until the transaction ends; a chain begins here. */
async function lockHead(tx: Tx, workspaceId: WorkspaceId): Promise<typeof auditHeads.$inferSelect> {
  const [head] = await tx
    .insert(auditHeads)
    .values({ workspaceId, sequence: 0, hash: GENESIS })
    .onConflictDoUpdate({ target: auditHeads.workspaceId, set: { sequence: sql`${auditHeads.sequence}` } })
    .returning();
  if (head === undefined) throw new Error("the head of the audit log was not locked");
  return head;
}
