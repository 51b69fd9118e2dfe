import { encodeId, type WorkspaceId } from "@patchbay/shared";
import { raiseEpoch } from "../../domain/events/index.ts";
import { skipChangeNumbers } from "../../domain/records/index.ts";
import { listWorkspaceIds } from "../../domain/workspaces/index.ts";
import { removeMarker } from "../../platform/db/backup/index.ts";
import type { WithQueue } from "../../platform/db/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import type { RestoreDeps } from "./deps.ts";
import { restores } from "./tables.ts";

/** Counts begun anew are counted from here: seconds fit an integer column until 2094. */
const FIRST_SECOND = Date.parse("2026-01-01T00:00:00Z") / 1_000;
const CHANGES_PER_SECOND_MAX = 1_000_000;

/**
 * Makes a database that went back in time say so: feeds begin a new epoch, numbers of changes go on far above, every
 * audit log gets an entry, and the product starts held. Numbers come from the clock, so that a second restore of the
 * same backup gives others than the first.
 *
 * Killed in between, it is begun anew from the backup: nothing starts before its last step.
 */
export async function finishRestore(
  deps: RestoreDeps & { readonly asOwner: WithQueue },
  given: { readonly backupTakenAt: Date; readonly backupId: string | null },
): Promise<void> {
  const restoredAt = deps.clock.now();
  const second = Math.floor(restoredAt.getTime() / 1_000) - FIRST_SECOND;
  for (const workspaceId of await listWorkspaceIds(deps.worker.withQueue)) {
    await rewound(deps, workspaceId, second, given);
  }
  await deps.asOwner(async (tx) => {
    await tx.insert(restores).values({ id: newId<string>(), backupTakenAt: given.backupTakenAt, restoredAt });
    await removeMarker(tx);
  });
}

async function rewound(
  deps: RestoreDeps,
  workspaceId: WorkspaceId,
  second: number,
  { backupTakenAt, backupId }: { readonly backupTakenAt: Date; readonly backupId: string | null },
): Promise<void> {
  const log = await deps.audit.writer(workspaceId);
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await raiseEpoch(tx, workspaceId, second);
    await skipChangeNumbers(tx, workspaceId, second * CHANGES_PER_SECOND_MAX);
    await log.append(tx, {
      actor: { kind: "operator", id: null },
      action: "database.restore",
      target: { type: "workspace", id: encodeId("ws", workspaceId) },
      details: { backupTakenAt: backupTakenAt.toISOString(), ...(backupId === null ? {} : { backupId }) },
    });
  });
}
