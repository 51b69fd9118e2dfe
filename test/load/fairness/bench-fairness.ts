import { waitFor } from "../../harness/wait-for.ts";
import type { Figure, OpenBench } from "../kit/bench.ts";
import { openEventSource, type EventSource, type Tenant } from "../kit/event-source.ts";
import type { WholeStage } from "../kit/whole-stage.ts";
import { waitingOf, dropWork } from "./tenant-work.ts";
import { watchTenant, type Watched } from "./watch-tenant.ts";

const PLACED_MS_MAX = 600_000;
const TAKEN_MS_MAX = 90_000;
/** Tenants whose lanes the killed worker holds, and what waits in each: more than it does until the other is ready. */
const HELD_TENANTS = 6;
const HELD_EVENTS = 800;

/**
 * What one tenant feels of another's backlog: at the same endpoint, and at one that is dead; and how long work stands
 * still when its process is killed.
 */
export const openFairness: OpenBench = async ({ whole, say, short, count }) => {
  const stage = await whole();
  await stage.worker();
  const source = await openEventSource(stage);
  await stage.endpoint("/shared", ["run.progress"]);
  await stage.endpoint("/dead", ["run.partial"]);
  await stage.endpoint("/slow", ["run.failed"]);
  const backlog = count("backlog", short ? 200 : 100_000);
  const seconds = count("seconds", short ? 1 : 10);
  let runs = 0;
  return {
    async run() {
      const run = runs++;
      const noisy = await source.tenant(`noisy-${run}`);
      const quiet = await source.tenant(`quiet-${run}`);
      const watched = { source, tenant: quiet, type: "run.progress", rate: 20, seconds } as const;
      const alone = await watchTenant(stage, watched);
      const besideBacklog = async (type: "run.progress" | "run.partial") => {
        await pileUp(stage, source, noisy, type, backlog);
        const times = await watchTenant(stage, watched);
        const left = await waitingOf(stage, noisy);
        await dropWork(stage, noisy);
        return { ...times, left };
      };
      const healthy = await besideBacklog("run.progress");
      const dead = await besideBacklog("run.partial");
      const takeoverMs = await killAndMeasure(stage, source, run);
      const p95 = [alone, healthy, dead].map(({ times }) => `${times.p95.toFixed(0)} ms`).join(", ");
      say(
        `  p95 alone, beside a backlog, beside a dead endpoint: ${p95}; taken over after ${takeoverMs.toFixed(0)} ms`,
      );
      return {
        figures: [
          { name: "quiet tenant alone, event to host: p50", unit: "ms", value: alone.times.p50 },
          { name: "quiet tenant alone, event to host: p95", unit: "ms", value: alone.times.p95 },
          ...figuresOfBacklog(`beside ${backlog} at the same endpoint`, healthy, alone),
          ...figuresOfBacklog(`beside ${backlog} at a dead endpoint`, dead, alone),
          { name: "lanes of a killed worker went on after", unit: "s", value: takeoverMs / 1_000, target: "≤ 45" },
        ],
        broken: [...alone.broken, ...healthy.broken, ...dead.broken],
        raw: { alone, healthy, dead, takeoverMs },
      };
    },
    close: async () => {},
  };
};

function figuresOfBacklog(
  name: string,
  { times, left }: Watched & { readonly left: number },
  alone: Watched,
): readonly Figure[] {
  const ratio = times.p95 / alone.times.p95;
  return [
    { name: `${name}: p95`, unit: "ms", value: times.p95 },
    { name: `${name}: p95 to alone`, unit: "×", value: ratio, target: "≤ 2, aim 1.2" },
    { name: `${name}: of it still waiting afterwards`, unit: "", value: left },
  ];
}

/** Returns when the sequencer has made a delivery of every event; those sent meanwhile are gone again. */
async function pileUp(
  stage: WholeStage,
  source: EventSource,
  tenant: Tenant,
  type: "run.progress" | "run.partial",
  events: number,
): Promise<void> {
  await source.append(tenant, type, events);
  await waitFor(
    async () => {
      const [row] = await stage.ground.sql`
        select not exists (select 1 from events where position is null and workspace_id = ${stage.workspaceId}) as placed`;
      return row?.["placed"] === true;
    },
    { timeoutMs: PLACED_MS_MAX, intervalMs: 200, what: "the backlog to be sequenced" },
  );
}

/**
 * Kills a worker while it holds the lanes of some tenants; another is there.
 *
 * @returns milliseconds until the last of these lanes goes on
 */
async function killAndMeasure(stage: WholeStage, source: EventSource, run: number): Promise<number> {
  await stage.sink.take();
  const tenants: Tenant[] = [];
  for (let i = 0; i < HELD_TENANTS; i++) {
    const tenant = await source.tenant(`held-${run}-${i}`);
    await source.append(tenant, "run.failed", HELD_EVENTS);
    tenants.push(tenant);
  }
  const firstAfter = async (fromMs: number) => {
    const receipts = await stage.sink.look();
    return tenants.map(({ id }) => receipts.find(({ tenantId, atMs }) => tenantId === id && atMs > fromMs)?.atMs);
  };
  const all = (times: readonly (number | undefined)[]) => (times.includes(undefined) ? null : times);
  await waitFor(async () => all(await firstAfter(0)), { timeoutMs: TAKEN_MS_MAX, what: "all lanes to be worked" });
  const killedAtMs = await stage.killWorker();
  const times = await waitFor(async () => all(await firstAfter(killedAtMs)), {
    timeoutMs: TAKEN_MS_MAX,
    what: "the lanes of the killed worker to go on",
  });
  for (const tenant of tenants) await dropWork(stage, tenant);
  return Math.max(...times.map((atMs) => (atMs ?? Number.NaN) - killedAtMs));
}
