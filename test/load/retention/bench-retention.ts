import { setTimeout as delay } from "node:timers/promises";
import {
  dropOldInboxPartitions,
  openInboxDays,
  RETENTION_DAYS_MIN,
} from "../../../packages/backend/src/platform/db/index.ts";
import { systemClock } from "../../../packages/backend/src/platform/runtime/index.ts";
import { startChild } from "../../crash/child.ts";
import { APP_SECRET, makeSources } from "../ingest/inbox-sources.ts";
import { findMissing } from "../ingest/verify.ts";
import type { OpenBench } from "../kit/bench.ts";
import { figuresOf } from "../kit/figures.ts";
import { openGround, type Ground } from "../kit/ground.ts";
import { runLoad } from "../kit/load-plan.ts";

const OLD_DAYS = RETENTION_DAYS_MIN + 30;
const BODY_BYTES = 8_000;
const CONNECTIONS = 200;
const FILL_ROWS = 5_000;

/** What accepting feels of a large partition being dropped. */
export const openRetention: OpenBench = async ({ short, say, count }) => {
  const ground = await openGround();
  try {
    const targets = await makeSources(ground, { workspaces: 1, storesEach: 4 });
    const api = await startChild({
      script: "packages/backend/src/main.ts",
      args: ["api"],
      env: ground.env,
      ready: "Patchbay is ready",
    });
    ground.onClose(() => api.stop());
    const seconds = count("seconds", short ? 1 : 10);
    const rate = count("rate", short ? 100 : 500);
    const asMaintenance = ground.database.as("patchbay_maintenance").withQueue;
    let run = 0;
    const load = async (about: string) => {
      const idPrefix = `${about}-${run++}-`;
      const result = await runLoad({
        url: `http://127.0.0.1:${ground.config.port}`,
        targets,
        topic: "carts/update",
        secret: APP_SECRET,
        idPrefix,
        from: 0,
        distinctOrders: false,
        duplicateEvery: 0,
        connections: CONNECTIONS,
        seconds,
        rate,
      });
      return {
        times: figuresOf(Array.from(result.latenciesMs)),
        seconds: result.seconds,
        broken: await findMissing(ground, idPrefix, result),
      };
    };
    await load("warm");
    return {
      async run() {
        const megabytes = await fillOldPartition(ground, asMaintenance, count("megabytes", short ? 20 : 1_000));
        say(`  a partition of ${megabytes.toFixed(0)} MB is overdue`);
        const quiet = await load("quiet");
        const [during, dropMs] = await Promise.all([load("during"), dropHalfWay(asMaintenance, seconds)]);
        return {
          figures: [
            { name: "partition dropped", unit: "", value: Math.round(megabytes) },
            { name: "the drop took", unit: "ms", value: dropMs },
            { name: `accepting ${rate}/s before: p99`, unit: "ms", value: quiet.times.p99 },
            { name: `accepting ${rate}/s while it is dropped: p99`, unit: "ms", value: during.times.p99 },
            { name: "difference", unit: "ms", value: during.times.p99 - quiet.times.p99, target: "≤ 20" },
            { name: "longest answer while it is dropped", unit: "ms", value: during.times.max },
          ],
          broken: [...quiet.broken, ...during.broken],
          raw: { megabytes, dropMs, quiet, during },
        };
      },
      close: () => ground.close(),
    };
  } catch (error) {
    await ground.close();
    throw error;
  }
};

type AsMaintenance = Parameters<typeof dropOldInboxPartitions>[0]["asMaintenance"];

/** @returns its size */
async function fillOldPartition(ground: Ground, asMaintenance: AsMaintenance, megabytes: number): Promise<number> {
  const day = new Date(Date.now() - OLD_DAYS * 86_400_000);
  await openInboxDays({ asMaintenance }, [day]);
  const rows = Math.ceil((megabytes * 1_000_000) / BODY_BYTES);
  for (let left = rows; left > 0; left -= FILL_ROWS) {
    // Bodies that do not compress, as sealed ones.
    await ground.sql`
      insert into inbox (workspace_id, received_at, id, source_id, provider, headers, body, body_key_id, body_bytes, body_sha256, secret_index)
      select gen_random_uuid(), ${day.toISOString()}::timestamptz, gen_random_uuid(), gen_random_uuid(), 'shopify', '{}',
        (select decode(string_agg(md5(random()::text || part || n), ''), 'hex') from generate_series(1, ${BODY_BYTES / 16}::int) as part),
        gen_random_uuid(), ${BODY_BYTES}, '', 0
      from generate_series(1, ${Math.min(left, FILL_ROWS)}::int) as n`;
  }
  const name = `inbox_${day.toISOString().slice(0, 10).replaceAll("-", "")}`;
  const [row] = await ground.sql`select pg_total_relation_size(${name}::regclass)::float8 / 1000000 as size`;
  return Number(row?.["size"]);
}

async function dropHalfWay(asMaintenance: AsMaintenance, seconds: number): Promise<number> {
  await delay(seconds * 500);
  const startedMs = performance.now();
  await dropOldInboxPartitions({ asMaintenance, clock: systemClock }, RETENTION_DAYS_MIN);
  return performance.now() - startedMs;
}
