import { encodeId, type WorkspaceId } from "@patchbay/shared";
import { ageDayKeys, spentDayKeys, type GoneDays } from "../../../domain/vault/index.ts";
import { readGoneInboxDays, type Tx } from "../../../platform/db/index.ts";
import type { IngestDeps } from "../deps.ts";

/** Keys of one transaction. */
const KEYS_MAX = 500;
/** Transactions of one call; the rest is for the next hour. */
const ROUNDS_MAX = 100;

type RetireDeps = Pick<IngestDeps, "worker" | "vault" | "audit" | "clock">;

/**
 * Destroys the keys under which raw bodies of dropped days were sealed, so that no copy of those bodies that is left
 * anywhere can be opened with what this database holds.
 *
 * It goes by what stands in the database, not by what was done before: killed between the drop and this, or in the
 * middle of this, the next hour goes on. A key that something may still be sealed under is left for half an hour.
 *
 * @returns how many keys were destroyed
 */
export async function retireRawKeys(deps: RetireDeps, workspaceId: WorkspaceId): Promise<number> {
  let destroyed = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { aged, spent } = await deps.worker.withWorkspace(workspaceId, async (tx) => {
      const gone = await goneDays(tx, deps, workspaceId);
      return { aged: await ageDayKeys(tx, gone), spent: (await spentDayKeys(tx, gone)).length };
    });
    if (spent > 0) destroyed += await destroySpent(deps, workspaceId);
    if (aged < KEYS_MAX && spent < KEYS_MAX) break;
  }
  return destroyed;
}

async function destroySpent(deps: RetireDeps, workspaceId: WorkspaceId): Promise<number> {
  const log = await deps.audit.writer(workspaceId);
  return deps.worker.withWorkspace(workspaceId, async (tx) => {
    const gone = await goneDays(tx, deps, workspaceId);
    const ids = await spentDayKeys(tx, gone);
    // Another process may have been quicker.
    if (ids.length === 0) return 0;
    const keys = await deps.vault.destroyKeys(tx, { workspaceId, ids });
    await log.append(tx, {
      actor: { kind: "system", id: null },
      action: "inbox.keys_destroyed",
      target: { type: "workspace", id: encodeId("ws", workspaceId) },
      details: { keys, before: gone.before },
    });
    return keys;
  });
}

async function goneDays(tx: Tx, deps: Pick<RetireDeps, "clock">, workspaceId: WorkspaceId): Promise<GoneDays> {
  return { workspaceId, purpose: "raw", ...(await readGoneInboxDays(tx, deps.clock)), limit: KEYS_MAX };
}
