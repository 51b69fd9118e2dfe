import { PgBoss } from "pg-boss";
import { directConnection, type ConnectionOptions } from "../db/index.ts";
import type { Logger } from "../observability/index.ts";

/** A chore that runs by the clock, on one process at a time however many there are. */
export interface Chore {
  readonly name: string;
  /** Five-field cron, UTC. */
  readonly cron: string;
  /** Safe to run twice. */
  run(): Promise<void>;
}

export interface Housekeeping {
  start(): Promise<void>;
  stop(): Promise<void>;
}

const HEARTBEAT_SECONDS = 10;
const MONITOR_SECONDS = 5;
const CONNECTIONS_MAX = 2;
/** A chore's time is notified; where that is not heard, it is looked for every few seconds. */
const POLLING = { pollingIntervalSeconds: 5, notifyPollingIntervalSeconds: 60 } as const;
const STOP_MS_MAX = 5_000;

/** Runs chores through pg-boss, in the schema that `migrate` installed, as the worker role. */
export function createHousekeeping(deps: {
  readonly connection: ConnectionOptions;
  readonly chores: readonly Chore[];
  readonly log: Logger;
}): Housekeeping {
  const { host, port, database, user, password, ssl } = directConnection(deps.connection);
  const boss = new PgBoss({
    host,
    port,
    database,
    user,
    password,
    ssl: ssl === true,
    // A pool of its own: it opens transactions by hand, which the product's driver refuses on a pool.
    max: CONNECTIONS_MAX,
    options: "-c role=patchbay_worker",
    schema: "pgboss",
    migrate: false,
    createSchema: false,
    monitorIntervalSeconds: MONITOR_SECONDS,
    useListenNotify: true,
  });
  boss.on("error", (error) => deps.log.warn({ error }, "housekeeping"));
  return {
    async start() {
      await boss.start();
      for (const chore of deps.chores) {
        // Exclusive: while one waits or runs, further ticks of the clock are dropped.
        const settings = { heartbeatSeconds: HEARTBEAT_SECONDS, retryLimit: 3, notify: true } as const;
        await boss.createQueue(chore.name, { ...settings, policy: "exclusive" });
        // One that an earlier version made has its settings still.
        await boss.updateQueue(chore.name, settings);
        await boss.schedule(chore.name, chore.cron);
        await boss.work(chore.name, POLLING, async () => {
          const startedMs = performance.now();
          try {
            await chore.run();
          } catch (error) {
            // pg-boss keeps the failure to itself and tries again later.
            deps.log.error({ error, chore: chore.name }, "chore failed");
            throw error;
          }
          deps.log.info({ chore: chore.name, elapsedMs: Math.round(performance.now() - startedMs) }, "chore done");
        });
      }
    },
    async stop() {
      await boss.stop({ graceful: true, timeout: STOP_MS_MAX });
    },
  };
}
