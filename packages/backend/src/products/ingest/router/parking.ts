import type { WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";

/**
 * Parking a delivery and looking for what is parked exclude each other, so that none is parked behind the back of a
 * connection that has just appeared: who parks looks at the connections once more under this lock.
 */
export async function beginParking(tx: Tx, workspaceId: WorkspaceId): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock_shared(hashtext(${nameOf(workspaceId)}))`);
}

/** Waits until all that is being parked is there to be seen. Call it with no other lock in hand. */
export async function waitForParking(tx: Tx, workspaceId: WorkspaceId): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${nameOf(workspaceId)}))`);
}

function nameOf(workspaceId: WorkspaceId): string {
  return `inbox parking ${workspaceId}`;
}
