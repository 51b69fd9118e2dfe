import type { InboxId, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { arrayParam, type Tx } from "../../../platform/db/index.ts";
import type { Outcome } from "./plan-routes.ts";

/** What an element had come to before. */
export type PriorStatus = (inboxId: InboxId, element: number) => Outcome["status"] | null;

/** @param again outcomes of before give way; else they stand */
export async function writeOutcomes(
  tx: Tx,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly outcomes: readonly Outcome[];
    readonly again: boolean;
    readonly now: Date;
  },
): Promise<void> {
  const { workspaceId, outcomes, again, now } = input;
  if (outcomes.length === 0) return;
  const column = (type: string, pick: (outcome: Outcome) => string | null) => arrayParam(outcomes.map(pick), type);
  const onConflict = again
    ? sql`on conflict (workspace_id, inbox_id, element) do update set
        (status, problem, topic, connection_id, tenant_uid, waits_for, routed_at) =
        (excluded.status, excluded.problem, excluded.topic, excluded.connection_id, excluded.tenant_uid, excluded.waits_for, excluded.routed_at)`
    : sql`on conflict do nothing`;
  await tx.execute(sql`
    insert into inbox_outcomes (workspace_id, inbox_id, received_at, element, status, problem, topic, connection_id, tenant_uid, waits_for, routed_at)
    select ${workspaceId}, inbox_id, received_at, element, status, problem, topic, connection_id, tenant_uid, decode(waits_for, 'hex'),
      ${now.toISOString()}::timestamptz
    from unnest(
      ${column("uuid", ({ inboxId }) => inboxId)},
      ${column("timestamptz", ({ receivedAt }) => receivedAt.toISOString())},
      ${column("smallint", ({ element }) => String(element))},
      ${column("text", ({ status }) => status)},
      ${column("text", ({ problem }) => problem)},
      ${column("text", ({ topic }) => topic)},
      ${column("uuid", ({ connection }) => connection?.id ?? null)},
      ${column("uuid", ({ connection }) => connection?.tenantUid ?? null)},
      ${column("text", ({ waitsFor }) => waitsFor?.toString("hex") ?? null)}
    ) as t (inbox_id, received_at, element, status, problem, topic, connection_id, tenant_uid, waits_for)
    order by inbox_id, element
    ${onConflict}`);
}

export async function readPriorStatus(
  tx: Tx,
  workspaceId: WorkspaceId,
  inboxIds: readonly InboxId[],
): Promise<PriorStatus> {
  const rows = await tx.execute<{ inbox_id: InboxId; element: number; status: Outcome["status"] }>(sql`
    select inbox_id, element, status from inbox_outcomes
    where workspace_id = ${workspaceId} and inbox_id = any(${arrayParam([...inboxIds], "uuid")})`);
  const prior = new Map([...rows].map((row) => [`${row.inbox_id} ${row.element}`, row.status]));
  return (inboxId, element) => prior.get(`${inboxId} ${element}`) ?? null;
}
