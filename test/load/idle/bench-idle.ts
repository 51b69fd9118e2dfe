import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startChild } from "../../crash/child.ts";
import type { BenchOptions, Figure, OpenBench, RunResult } from "../kit/bench.ts";
import { readCpuTime } from "../kit/cpu-time.ts";
import { openGround, type Ground } from "../kit/ground.ts";

/** What a product costs that has nothing to do: with one workspace, and with many. */
export const openIdle: OpenBench = async (options) => {
  const ground = await openGround();
  return { run: () => run(ground, options), close: () => ground.close() };
};

/** Until what a start does is over: schedules, first looks, warm caches. */
const SETTLE_MS = 5_000;
const MANY = 1_000;

async function run(ground: Ground, options: BenchOptions): Promise<RunResult> {
  const seconds = options.count("seconds", options.short ? 5 : 30);
  const many = options.count("workspaces", options.short ? 50 : MANY);
  const product = await startChild({
    script: "packages/backend/src/main.ts",
    args: ["serve"],
    env: ground.env,
    ready: "Patchbay is ready",
  });
  try {
    const figures: Figure[] = [];
    const raw: unknown[] = [];
    for (const workspaces of [1, many]) {
      await addWorkspaces(ground, workspaces);
      await delay(options.short ? 1_000 : SETTLE_MS);
      const cost = await costOf(ground, product.pid, seconds);
      options.say(`  ${workspaces} workspaces: ${JSON.stringify(cost)}`);
      raw.push({ workspaces, ...cost });
      figures.push(
        { name: `transactions, ${workspaces} workspaces`, unit: "/s", value: cost.transactions / seconds },
        { name: `processor of the product, ${workspaces} workspaces`, unit: "%", value: cost.serverMs / seconds / 10 },
        { name: `processor of Postgres, ${workspaces} workspaces`, unit: "%", value: cost.postgresMs / seconds / 10 },
      );
    }
    return { figures, broken: [], raw };
  } finally {
    await product.stop();
  }
}

interface Cost {
  readonly transactions: number;
  readonly serverMs: number;
  readonly postgresMs: number;
}

async function costOf(ground: Ground, pid: number, seconds: number): Promise<Cost> {
  const before = await used(ground, pid);
  await delay(seconds * 1_000);
  const after = await used(ground, pid);
  return {
    transactions: after.transactions - before.transactions,
    serverMs: after.serverMs - before.serverMs,
    postgresMs: after.postgresMs - before.postgresMs,
  };
}

async function used(ground: Ground, pid: number): Promise<Cost> {
  const cpu = await readCpuTime(pid, ground.postgresPid);
  const [row] = await ground.sql<{ transactions: number }[]>`
    select (xact_commit + xact_rollback)::int as transactions from pg_stat_database where datname = current_database()`;
  return { ...cpu, transactions: row?.transactions ?? Number.NaN };
}

/** Up to so many, in the way of an operator. */
async function addWorkspaces(ground: Ground, wanted: number): Promise<void> {
  const [row] = await ground.sql<{ many: number }[]>`select count(*)::int as many from queue.workspaces`;
  const token = (await readFile(join(ground.folder, "operator-token"), "utf8")).trim();
  for (let n = row?.many ?? 0; n < wanted; n++) {
    const response = await fetch(`http://127.0.0.1:${ground.env["PATCHBAY_PORT"]}/admin/v1/workspaces`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: `idle ${n}`, mode: "test" }),
    });
    if (!response.ok) throw new Error(`workspace ${n}: ${response.status} ${await response.text()}`);
  }
}
