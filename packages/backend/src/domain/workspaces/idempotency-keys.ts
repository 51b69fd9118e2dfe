import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, lt } from "drizzle-orm";
import type { WithWorkspace } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { idempotencyKeys } from "./tables.ts";

/** Answers to requests with an `Idempotency-Key` are kept for this long. */
const KEPT_MS = 24 * 3_600_000;

/** Forgets keys, and the answers to them, past their time. Run it by the clock. */
export async function forgetIdempotencyKeys(
  deps: { readonly withWorkspace: WithWorkspace; readonly clock: Clock },
  workspaceId: WorkspaceId,
): Promise<void> {
  const before = new Date(deps.clock.now().getTime() - KEPT_MS);
  await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .delete(idempotencyKeys)
      .where(and(eq(idempotencyKeys.workspaceId, workspaceId), lt(idempotencyKeys.createdAt, before))),
  );
}
