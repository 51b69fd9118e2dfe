import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import type { NewItem } from "../../packages/backend/src/platform/lanes/index.ts";
import type { TestDatabase } from "./database.ts";
import { waitFor } from "./wait-for.ts";

/** An item that is due, of a tenant and in a lane of its own. */
export function aLaneItem(overrides: Partial<NewItem> & { readonly workspaceId: WorkspaceId }): NewItem {
  return {
    kind: "delivery",
    tenantUid: randomUUID() as TenantUid,
    laneId: randomUUID(),
    id: randomUUID(),
    task: "deliver",
    runAt: new Date(Date.now() - 1_000),
    ...overrides,
  };
}

/** Waits until `count` transactions of this database wait for a lock. */
export async function untilBlocked(fixture: TestDatabase, count: number): Promise<void> {
  await waitFor(
    async () => {
      const rows = await fixture.sql`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return rows.length >= count;
    },
    { what: "a transaction that waits" },
  );
}
