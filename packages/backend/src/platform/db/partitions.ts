import { sql } from "drizzle-orm";
import type { Clock } from "../runtime/index.ts";
import { readDatabaseNow } from "./database-time.ts";
import type { Tx, WithQueue } from "./database.ts";

/** Partitions exist this many days ahead, so that a stopped job is noticed long before it matters. */
export const PARTITION_DAYS_AHEAD = 14;
/** Fewer days ahead than this: the job that makes partitions does not run, or fails. */
export const PARTITION_DAYS_AHEAD_MIN = 3;
/** Retention may not be shorter: raw payloads are promised for this long. */
export const RETENTION_DAYS_MIN = 7;

/** Names the advisory lock that backups share while they read. */
export const BACKUP_LOCK = "patchbay backup";
/** Dropping waits no longer than this for the lock, behind which deliveries wait: the next hour tries again. */
const LOCK_MS_MAX = 500;
/** Days that one batch of deliveries may open. */
const OPENED_MAX = 10;

interface Deps {
  /** As `patchbay_maintenance`, which may open and drop days of the inbox and nothing else. */
  readonly asMaintenance: WithQueue;
  readonly clock: Clock;
}

/**
 * Makes the inbox's daily partitions from yesterday to {@link PARTITION_DAYS_AHEAD} days ahead, by our clock and by the
 * database's.
 */
export async function ensureInboxPartitions({ asMaintenance, clock }: Deps): Promise<void> {
  await asMaintenance(async (tx) => {
    const days = [clock.now(), await readDatabaseNow(tx)].flatMap((now) =>
      Array.from({ length: PARTITION_DAYS_AHEAD + 2 }, (_, index) => addDays(now, index - 1)),
    );
    await createPartitions(tx, days);
  });
}

/** Makes the partitions of these instants, where a clock has jumped to a day that nobody thought of. */
export async function openInboxDays(
  { asMaintenance }: Pick<Deps, "asMaintenance">,
  instants: readonly Date[],
): Promise<void> {
  const days = new Map(instants.map((instant) => [isoDay(instant), instant]));
  await asMaintenance((tx) => createPartitions(tx, [...days.values()].slice(0, OPENED_MAX)));
}

/**
 * Drops inbox partitions that ended more than `retentionDays` ago by our clock and by the database's: one clock that
 * jumped ahead throws nothing away. One partition at a time.
 *
 * @returns how many
 */
export async function dropOldInboxPartitions({ asMaintenance, clock }: Deps, retentionDays: number): Promise<number> {
  const overdue = await asMaintenance(async (tx) => {
    // It reads all partitions, and may take longer than anybody should wait: the next hour will do.
    if (await isBackingUp(tx)) return [];
    const names = await listPartitions(tx);
    const oldest = oldestKept(clock.now(), await readDatabaseNow(tx), retentionDays);
    return names.filter((name) => name < oldest);
  });
  for (const name of overdue) {
    await asMaintenance(async (tx) => {
      await tx.execute(sql`select set_config('lock_timeout', ${String(LOCK_MS_MAX)}, true)`);
      await tx.execute(sql`select app.drop_inbox_day(${dayOf(name)}::date)`);
    });
  }
  return overdue.length;
}

/** How the partitions stand. Any role may look. */
export interface PartitionHealth {
  /** Days in a row from today on that deliveries can be stored on, today not counted; -1: not even today. */
  readonly daysAhead: number;
  /** Partitions that should have been dropped a day ago or longer. */
  readonly overdue: number;
}

export async function inboxPartitionHealth(
  deps: { readonly withQueue: WithQueue; readonly clock: Clock },
  retentionDays: number,
): Promise<PartitionHealth> {
  return deps.withQueue(async (tx) => {
    const names = new Set(await listPartitions(tx));
    const now = deps.clock.now();
    let daysAhead = -1;
    while (daysAhead < PARTITION_DAYS_AHEAD && names.has(partitionName(addDays(now, daysAhead + 1)))) daysAhead++;
    const oldest = oldestKept(now, await readDatabaseNow(tx), retentionDays + 1);
    return { daysAhead, overdue: [...names].filter((name) => name < oldest).length };
  });
}

/**
 * Which days of the inbox are gone for good: those before `before`, but for `kept`, which still have their partition. By
 * both clocks. Any role may look.
 */
export async function readGoneInboxDays(
  tx: Tx,
  clock: Clock,
): Promise<{ readonly before: string; readonly kept: readonly string[] }> {
  const oldest = oldestKept(clock.now(), await readDatabaseNow(tx), RETENTION_DAYS_MIN);
  const names = await listPartitions(tx);
  return { before: dayOf(oldest), kept: names.filter((name) => name < oldest).map(dayOf) };
}

/** What an operator must be told, in sentences; empty: all is well. */
export function partitionWarnings({ daysAhead, overdue }: PartitionHealth): readonly string[] {
  return [
    ...(daysAhead < PARTITION_DAYS_AHEAD_MIN
      ? [`the inbox has partitions for ${Math.max(daysAhead, 0)} days ahead only: the job that makes them fails`]
      : []),
    ...(overdue > 0 ? [`${overdue} partitions of the inbox are past their retention and were not dropped`] : []),
  ];
}

/** One process at a time. */
async function createPartitions(tx: Tx, days: readonly Date[]): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('patchbay inbox partitions'))`);
  const present = new Set(await listPartitions(tx));
  for (const day of days.filter((each) => !present.has(partitionName(each)))) {
    await tx.execute(sql`select app.open_inbox_day(${isoDay(day)}::date)`);
  }
}

async function isBackingUp(tx: Tx): Promise<boolean> {
  const [row] = await tx.execute<{ free: boolean }>(
    sql`select pg_try_advisory_xact_lock(hashtext(${BACKUP_LOCK})) as free`,
  );
  return row?.free === false;
}

async function listPartitions(tx: Tx): Promise<readonly string[]> {
  const rows = await tx.execute<{ name: string }>(sql`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.inbox'::regclass order by 1`);
  return rows.map((row) => row.name);
}

function oldestKept(ours: Date, databases: Date, retentionDays: number): string {
  const now = new Date(Math.min(ours.getTime(), databases.getTime()));
  return partitionName(addDays(now, -Math.max(retentionDays, RETENTION_DAYS_MIN)));
}

function partitionName(day: Date): string {
  return `inbox_${isoDay(day).replaceAll("-", "")}`;
}

/** The day that {@link partitionName} named. */
function dayOf(name: string): string {
  return name.replace(/^inbox_(\d{4,})(\d{2})(\d{2})$/, "$1-$2-$3");
}

function isoDay(day: Date): string {
  return day.toISOString().slice(0, 10);
}

function addDays(day: Date, days: number): Date {
  return new Date(day.getTime() + days * 86_400_000);
}
