import { writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { coveredMs, figuresOf, type Figures } from "../kit/figures.ts";
import { measureFloor } from "./floor.ts";
import { setStage, type Stage } from "./stage.ts";
import { watchHttp, type Exchange, type HttpWatch } from "./watch-http.ts";

export interface LoopPlan {
  /** Placed one after another. */
  readonly orders: number;
  /** Then so many per second, on schedule. */
  readonly rate: number;
  readonly seconds: number;
}

/** The way of one order, in milliseconds. */
interface Way {
  /** From the webhook's sending (or, on schedule, from when the order was due) to the verified event. */
  readonly totalMs: number;
  /** Of that, while the provider was being read for this order. */
  readonly providerMs: number;
  readonly ownMs: number;
  /** Until the provider had its 2xx for the webhook. */
  readonly answeredMs: number;
}

const ARRIVAL_MS_MAX = 10_000;
const LOST_MAX = 3;
const WARM_UP_ORDERS = 5;
const FLOOR_ROUNDS = 300;
/** About what such a webhook and such an event weigh. */
const FLOOR_BODY_BYTES = 6_000;

/** Runs the bench and prints its table. @returns how many orders did not arrive */
export async function runLoop(plan: LoopPlan): Promise<number> {
  console.log("Starting Patchbay, its Postgres, a sandbox store and a host …");
  const stage = await setStage();
  const watch = watchHttp();
  // Its Postgres is a process of its own and would stay.
  const interrupted = () => void stage.close().finally(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    const warmUp = await oneAfterAnother(stage, watch, WARM_UP_ORDERS);
    if (warmUp.length < WARM_UP_ORDERS) throw new Error("orders do not arrive at the host; nothing was measured");
    const floor = await measureFloor(FLOOR_ROUNDS, FLOOR_BODY_BYTES);
    console.log(`Placing ${plan.orders} orders one after another …`);
    const calm = await oneAfterAnother(stage, watch, plan.orders);
    console.log(`Placing ${plan.rate} orders a second for ${plan.seconds} s …`);
    const busy = await onSchedule(stage, watch, plan);
    const lost = plan.orders + plan.rate * plan.seconds - calm.length - busy.length;
    await report({ plan, floor, calm, busy, lost });
    return lost;
  } finally {
    watch.stop();
    await stage.close();
  }
}

async function oneAfterAnother(stage: Stage, watch: HttpWatch, orders: number): Promise<readonly Way[]> {
  const ways: Way[] = [];
  let lost = 0;
  // Where several are lost the rest would be too; they count as lost.
  for (let i = 0; i < orders && lost < LOST_MAX; i++) {
    const way = await placeAndFollow(stage, watch, null);
    lost += way.length === 0 ? 1 : 0;
    ways.push(...way);
  }
  return ways;
}

async function onSchedule(stage: Stage, watch: HttpWatch, { rate, seconds }: LoopPlan): Promise<readonly Way[]> {
  const startMs = performance.now();
  const following: Promise<readonly Way[]>[] = [];
  for (let i = 0; i < rate * seconds; i++) {
    const dueMs = startMs + (i * 1000) / rate;
    await delay(Math.max(0, dueMs - performance.now()));
    following.push(placeAndFollow(stage, watch, dueMs));
  }
  return (await Promise.all(following)).flat();
}

/** @returns nothing when the order did not arrive in time */
async function placeAndFollow(stage: Stage, watch: HttpWatch, dueMs: number | null): Promise<readonly Way[]> {
  const { gid, orderId } = stage.sandbox.shopify.act(stage.shop, "place-order", { customer: "known" });
  const verifiedMs = await stage.host.verified(String(orderId), ARRIVAL_MS_MAX).catch(() => null);
  if (verifiedMs === null) return [];
  const about = watch.exchanges.filter(({ body }) => body.includes(String(gid)));
  const webhook = about.find(({ path }) => path.startsWith("/in/"));
  if (webhook === undefined) return [];
  const fromMs = dueMs ?? webhook.startedMs;
  const reads = about.filter(isRead).map((read) => ({ from: read.startedMs, to: read.endedMs ?? verifiedMs }));
  const totalMs = verifiedMs - fromMs;
  const providerMs = coveredMs(reads, { from: fromMs, to: verifiedMs });
  const answeredMs = (webhook.endedMs ?? verifiedMs) - webhook.startedMs;
  return [{ totalMs, providerMs, ownMs: totalMs - providerMs, answeredMs }];
}

function isRead({ path }: Exchange): boolean {
  return path.includes("/admin/api/");
}

interface Results {
  readonly plan: LoopPlan;
  readonly floor: readonly number[];
  readonly calm: readonly Way[];
  readonly busy: readonly Way[];
  readonly lost: number;
}

async function report(results: Results): Promise<void> {
  const { plan, floor, calm, busy, lost } = results;
  const rows: readonly (readonly [string, readonly number[]])[] = [
    ["floor: two bare HTTP hops", floor],
    ...rowsOf("one after another", calm),
    ...rowsOf(`${plan.rate} a second`, busy),
  ];
  console.log(`\nFrom the store's webhook to the event that the host verified, in ms (${cpus().length} CPUs)\n`);
  console.log(line("", ["n", "p50", "p95", "p99", "max"]));
  for (const [name, times] of rows) console.log(line(name, columnsOf(figuresOf(times))));
  console.log(`\nlost: ${lost}. A published case that replaced polling by webhooks took 8000 ms at the median.`);
  const path = join(tmpdir(), `patchbay-bench-loop-${Date.now()}.json`);
  const figures = Object.fromEntries(rows.map(([name, times]) => [name, figuresOf(times)]));
  await writeFile(path, JSON.stringify({ at: new Date().toISOString(), cpus: cpus().length, figures, ...results }));
  console.log(`raw figures: ${path}`);
}

function rowsOf(name: string, ways: readonly Way[]): readonly (readonly [string, readonly number[]])[] {
  return [
    [`${name}: all`, ways.map((way) => way.totalMs)],
    [`${name}: reading the provider`, ways.map((way) => way.providerMs)],
    [`${name}: Patchbay itself`, ways.map((way) => way.ownMs)],
    [`${name}: webhook answered`, ways.map((way) => way.answeredMs)],
  ];
}

function columnsOf({ n, p50, p95, p99, max }: Figures): readonly string[] {
  return [String(n), ...[p50, p95, p99, max].map((ms) => (Number.isNaN(ms) ? "-" : ms.toFixed(1)))];
}

function line(name: string, columns: readonly string[]): string {
  return name.padEnd(42) + columns.map((column) => column.padStart(9)).join("");
}
