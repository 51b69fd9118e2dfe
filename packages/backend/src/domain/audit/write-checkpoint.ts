import { encodeId, type AuditCheckpoint, type WorkspaceId } from "@patchbay/shared";
import { desc, eq } from "drizzle-orm";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { NIL_UUID, type Tx, type WithWorkspace } from "../../platform/db/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import type { Place, Vault } from "../vault/index.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { auditCheckpoints, auditHeads, auditSigningKeys } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Pick<Vault, "sealer" | "open">;
  readonly clock: Clock;
}

/** Signs how the workspace's log stands now and keeps that. @returns `null` when nothing came since the last one */
export async function writeCheckpoint(deps: Deps, workspaceId: WorkspaceId): Promise<AuditCheckpoint | null> {
  const { head, last } = await deps.withWorkspace(workspaceId, (tx) => standing(tx, workspaceId));
  if (head === null || head.sequence === last) return null;
  const { id, publicKey, privateKey } = await signingKey(deps, workspaceId);
  const recordedAt = deps.clock.now();
  const checkpoint = signCheckpoint(
    {
      workspaceId: encodeId("ws", workspaceId),
      sequence: head.sequence,
      hash: Buffer.from(head.hash).toString("base64url"),
      recordedAt: recordedAt.toISOString(),
      publicKey: Buffer.from(publicKey).toString("base64"),
    },
    privateKey,
  );
  await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .insert(auditCheckpoints)
      .values({
        workspaceId,
        sequence: head.sequence,
        hash: head.hash,
        recordedAt,
        signingKeyId: id,
        signature: Buffer.from(checkpoint.signature, "base64url"),
      })
      // Another process said the same.
      .onConflictDoNothing(),
  );
  return checkpoint;
}

async function standing(tx: Tx, workspaceId: WorkspaceId) {
  const [head] = await tx.select().from(auditHeads).where(eq(auditHeads.workspaceId, workspaceId));
  const [last] = await tx
    .select({ sequence: auditCheckpoints.sequence })
    .from(auditCheckpoints)
    .where(eq(auditCheckpoints.workspaceId, workspaceId))
    .orderBy(desc(auditCheckpoints.sequence))
    .limit(1);
  return { head: head ?? null, last: last?.sequence ?? null };
}

/** The newest signing key, made if there is none. Two processes at once may make two: both are good. */
async function signingKey(
  deps: Deps,
  workspaceId: WorkspaceId,
): Promise<{ readonly id: string; readonly publicKey: Uint8Array; readonly privateKey: KeyObject }> {
  const [row] = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(auditSigningKeys)
      .where(eq(auditSigningKeys.workspaceId, workspaceId))
      .orderBy(desc(auditSigningKeys.createdAt), desc(auditSigningKeys.id))
      .limit(1),
  );
  if (row === undefined) return makeSigningKey(deps, workspaceId);
  const der = await deps.vault.open(workspaceId, placeOf(row.id), row.privateKey);
  const privateKey = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  return { id: row.id, publicKey: row.publicKey, privateKey };
}

async function makeSigningKey(deps: Deps, workspaceId: WorkspaceId) {
  // A scope of its own: the rotation of what is sealed for other purposes does not reach it.
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "audit", scope: "signing" });
  const { publicKey: publicHalf, privateKey } = generateKeyPairSync("ed25519");
  const id = newId<string>();
  const publicKey = publicHalf.export({ format: "der", type: "spki" });
  const sealed = sealer.seal(placeOf(id), privateKey.export({ format: "der", type: "pkcs8" }));
  await deps.withWorkspace(workspaceId, (tx) =>
    tx.insert(auditSigningKeys).values({ workspaceId, id, publicKey, privateKey: sealed, createdAt: deps.clock.now() }),
  );
  return { id, publicKey, privateKey };
}

function placeOf(id: string): Place {
  return { table: "audit_signing_keys", rowId: id, column: "private_key", rowVersion: 1 };
}
