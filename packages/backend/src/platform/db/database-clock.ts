import type { Logger } from "../observability/index.ts";
import { systemClock, type Clock } from "../runtime/index.ts";
import { readDatabaseNow } from "./database-time.ts";
import type { Database } from "./database.ts";

/** The one clock that all processes on a database share. */
export interface DatabaseClock extends Clock {
  /** Looks at the database's time once more. */
  sync(): Promise<void>;
  close(): void;
}

/** What a process can measure by itself. */
export interface OwnTime {
  /** Goes on evenly, whatever is done to the wall clock. */
  readonly monotonicMs: () => number;
  /** Only to tell how far it is off. */
  readonly wall: Clock;
}

const SYNC_EVERY_MS = 10_000;
/** A longer round trip says too little: it leaves half of itself in doubt. */
const ROUND_TRIP_MS_MAX = 1_000;
/** At the start, until one is short enough. */
const FIRST_TRIES_MAX = 5;
/** Hosts and providers refuse signatures that are minutes off; well before that, somebody should look. */
const WALL_APART_MS_MAX = 5_000;

const OWN_TIME: OwnTime = { monotonicMs: () => performance.now(), wall: systemClock };

/**
 * A clock that follows the database's: its time when last looked at, and what has passed since by a clock that nobody
 * sets. So all processes judge leases and due times alike, and the wall clock of none of them matters.
 *
 * A suspended machine stands still by both, until the next look.
 */
export async function followDatabaseClock(deps: {
  readonly database: Pick<Database, "as">;
  readonly log: Logger;
  readonly own?: OwnTime;
  /** 0: only when told to, for single commands. */
  readonly syncEveryMs?: number;
}): Promise<DatabaseClock> {
  const { log, own = OWN_TIME, syncEveryMs = SYNC_EVERY_MS } = deps;
  const { withQueue } = deps.database.as("patchbay_worker");
  let aheadMs: number | null = null;
  let toldApartMs = 0;
  let syncing: Promise<boolean> | null = null;

  /** @returns whether the answer came soon enough to be believed */
  async function look(): Promise<boolean> {
    const { askedMs, answeredMs, toldMs } = await withQueue(async (tx) => {
      const askedMs = own.monotonicMs();
      const toldMs = (await readDatabaseNow(tx)).getTime();
      return { askedMs, answeredMs: own.monotonicMs(), toldMs };
    });
    const roundTripMs = answeredMs - askedMs;
    const soon = roundTripMs <= ROUND_TRIP_MS_MAX;
    if (soon || aheadMs === null) {
      // The database read its clock at some moment between: what fits is kept, so that time does not jitter.
      const fits = aheadMs !== null && aheadMs >= toldMs - answeredMs && aheadMs <= toldMs - askedMs;
      if (!fits) aheadMs = toldMs - (askedMs + roundTripMs / 2);
    }
    return soon;
  }

  function tellApart(): void {
    const apartMs = Math.round(own.wall.now().getTime() - now().getTime());
    if (Math.abs(apartMs - toldApartMs) <= WALL_APART_MS_MAX) return;
    toldApartMs = apartMs;
    if (Math.abs(apartMs) <= WALL_APART_MS_MAX) {
      log.info({ aheadMs: apartMs }, "this machine's clock is in step with the database server's again");
      return;
    }
    log.warn(
      { aheadMs: apartMs },
      "this machine's clock is not the database server's, which Patchbay goes by: keep both machines in step with NTP",
    );
  }

  function now(): Date {
    if (aheadMs === null) throw new Error("the database's time was not read yet");
    return new Date(Math.floor(own.monotonicMs() + aheadMs));
  }

  const sync = async () => {
    syncing ??= look().finally(() => {
      syncing = null;
    });
    await syncing;
    tellApart();
  };

  for (let tries = 1; !(await look()) && tries < FIRST_TRIES_MAX; tries++);
  tellApart();
  const timer =
    syncEveryMs === 0
      ? null
      : setInterval(() => {
          if (syncing !== null) return;
          sync().catch((error: unknown) =>
            log.warn({ error }, "the database told no time; what it told last is reckoned on"),
          );
        }, syncEveryMs);
  timer?.unref();
  return {
    now,
    sync,
    close() {
      if (timer !== null) clearInterval(timer);
    },
  };
}
