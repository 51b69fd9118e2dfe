import type { Tenant } from "../kit/event-source.ts";
import type { WholeStage } from "../kit/whole-stage.ts";

/** How many deliveries of a tenant wait. */
export async function waitingOf({ ground, workspaceId }: WholeStage, { uid }: Tenant): Promise<number> {
  const [row] = await ground.sql`
    select count(*)::int as count from deliveries
    where workspace_id = ${workspaceId} and tenant_uid = ${uid} and status in ('pending', 'held')`;
  return Number(row?.["count"]);
}

/** Takes a tenant's deliveries away, so that the next phase begins without them. */
export async function dropWork({ ground, workspaceId }: WholeStage, { uid }: Tenant): Promise<void> {
  const { sql } = ground;
  await sql`delete from queue.items where workspace_id = ${workspaceId} and tenant_uid = ${uid}`;
  await sql`delete from deliveries where workspace_id = ${workspaceId} and tenant_uid = ${uid}`;
}
