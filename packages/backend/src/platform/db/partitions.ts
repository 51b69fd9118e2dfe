import { sql } from "drizzle-orm";
import type { Clock } from "../runtime/index.ts";
import type { Tx, WithQueue } from "./database.ts";

/** Partitions exist this many days ahead, so that a stopped job is noticed long before inserts fail. */
export const PARTITION_DAYS_AHEAD = 14;
/** Retention may not be shorter: raw payloads are promised for this long. */
export const RETENTION_DAYS_MIN = 7;

/** Makes the inbox's daily partitions from yesterday to {@link PARTITION_DAYS_AHEAD} days ahead. Runs as the owner. */
export async function ensureInboxPartitions(deps: { asOwner: WithQueue; clock: Clock }): Promise<void> {
  await deps.asOwner((tx) => createPartitions(tx, deps.clock.now()));
}

/** Drops inbox partitions that ended more than `retentionDays` ago. @returns how many */
export async function dropOldInboxPartitions(
  deps: { asOwner: WithQueue; clock: Clock },
  retentionDays: number,
): Promise<number> {
  const days = Math.max(retentionDays, RETENTION_DAYS_MIN);
  const oldest = partitionName(addDays(deps.clock.now(), -days));
  return deps.asOwner(async (tx) => {
    const rows = await tx.execute<{ name: string }>(
      sql`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = 'public.inbox'::regclass and c.relname < ${oldest}`,
    );
    for (const row of rows) await tx.execute(sql`drop table ${sql.identifier(row.name)}`);
    return rows.length;
  });
}

async function createPartitions(tx: Tx, now: Date): Promise<void> {
  for (let day = -1; day <= PARTITION_DAYS_AHEAD; day++) {
    const from = addDays(now, day);
    const name = sql.identifier(partitionName(from));
    const bounds = sql.raw(`from ('${isoDay(from)} 00:00+00') to ('${isoDay(addDays(from, 1))} 00:00+00')`);
    await tx.execute(sql`create table if not exists ${name} partition of inbox for values ${bounds}`);
    // No policy on a child: nobody reads or writes past the parent.
    await tx.execute(sql`alter table ${name} enable row level security`);
    await tx.execute(sql`alter table ${name} force row level security`);
  }
}

function partitionName(day: Date): string {
  return `inbox_${isoDay(day).replaceAll("-", "")}`;
}

function isoDay(day: Date): string {
  return day.toISOString().slice(0, 10);
}

function addDays(day: Date, days: number): Date {
  return new Date(day.getTime() + days * 86_400_000);
}
