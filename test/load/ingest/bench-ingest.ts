import { startChild, type Child } from "../../crash/child.ts";
import { freePort } from "../../harness/free-port.ts";
import { waitFor } from "../../harness/wait-for.ts";
import type { Bench, BenchOptions, Figure, OpenBench, RunResult } from "../kit/bench.ts";
import { readCpuTime } from "../kit/cpu-time.ts";
import { figuresOf } from "../kit/figures.ts";
import { measureFsync } from "../kit/fsync-floor.ts";
import { openGround, type Ground } from "../kit/ground.ts";
import { runLoad, type LoadPlan, type LoadResult, type Target } from "../kit/load-plan.ts";
import { APP_SECRET, makeSources } from "./inbox-sources.ts";
import { clearInbox, findMissing } from "./verify.ts";

/** Who takes the webhooks: the product, or its HTTP server over another store (`inbox-server.ts`). */
const SERVERS = ["floor", "sealed", "single", "product"] as const;
type ServerName = (typeof SERVERS)[number];

const CONNECTIONS = 64;
const FSYNC_ROUNDS = 500;
/** Of the open loop: enough that sending waits for no connection. */
const OPEN_CONNECTIONS = 200;
const BURST_CONNECTIONS = 1_000;
/** More than may wait for the disk: one address with so many at once must be refused some. */
const NOISY_CONNECTIONS = 3_000;
const QUIET_RATE = 20;
const DRAIN_MS_MAX = 120_000;

/** How fast webhooks are stored for good: at most, at a steady pace, and in a burst. */
export const openIngest: OpenBench = async (options) => {
  const ground = await openGround();
  try {
    const targets = await makeSources(ground, { workspaces: 2, storesEach: 5 });
    const servers = await startServers(ground);
    return { run: createRun({ options, ground, targets, servers }), close: () => ground.close() } satisfies Bench;
  } catch (error) {
    await ground.close();
    throw error;
  }
};

interface Stage {
  readonly options: BenchOptions;
  readonly ground: Ground;
  readonly targets: readonly Target[];
  readonly servers: Servers;
}

type Servers = ReadonlyMap<ServerName, { readonly url: string; readonly pid: number }>;

async function startServers(ground: Ground): Promise<Servers> {
  const servers = new Map<ServerName, { readonly url: string; readonly pid: number }>();
  for (const name of SERVERS) {
    const port = String(await freePort());
    const env = { ...ground.env, PATCHBAY_PORT: port };
    const child =
      name === "product"
        ? await startChild({ script: "packages/backend/src/main.ts", args: ["api"], env, ready: "Patchbay is ready" })
        : await startChild({ script: "test/load/ingest/inbox-server.ts", args: [name], env, ready: "ready" });
    ground.onClose(() => child.stop());
    servers.set(name, { url: `http://127.0.0.1:${port}`, pid: child.pid });
  }
  return servers;
}

/** With the processor time that it took. */
interface FullLoad extends LoadResult {
  readonly serverMs: number;
  readonly postgresMs: number;
}

function createRun(stage: Stage): () => Promise<RunResult> {
  let runs = 0;
  return async () => {
    const run = runs++;
    const { say, short } = stage.options;
    const seconds = stage.options.count("seconds", short ? 1 : 8);
    const broken: string[] = [];
    const send = async (name: ServerName, about: string, changed: Partial<LoadPlan>): Promise<LoadResult> => {
      const idPrefix = `${about}-${name}-${run}-`;
      const result = await runLoad({ ...planOf(stage, name, idPrefix), seconds, ...changed });
      say(`  ${about} ${name}: ${summary(result)}`);
      if (name === "single" || name === "product") broken.push(...(await findMissing(stage.ground, idPrefix, result)));
      return result;
    };
    const fsync = await measureFsync(stage.ground.folder, FSYNC_ROUNDS);
    const full = await saturateInTurn(stage, run, seconds, send);
    const worker = await startWorker(stage.ground);
    const rate = stage.options.count("rate", 500);
    const steadyOver = { rate, connections: OPEN_CONNECTIONS, seconds };
    const steadyFloor = await send("floor", "steady", steadyOver);
    const steady = await send("product", "steady", steadyOver);
    const burstSize = stage.options.count("burst", short ? 1_000 : 10_000);
    const burst = await send("product", "burst", { rate: burstSize, seconds: 1, connections: BURST_CONNECTIONS });
    const drainMs = await drained(stage.ground, burst.startedAtMs);
    await worker.stop();
    await clearInbox(stage.ground);
    const [noisyAt, quietAt] = stage.targets;
    if (noisyAt === undefined || quietAt === undefined) throw new Error("two addresses are needed");
    const [noisy, quiet] = await Promise.all([
      send("product", "noisy", { targets: [noisyAt], connections: NOISY_CONNECTIONS }),
      send("product", "quiet", { targets: [quietAt], rate: QUIET_RATE }),
    ]);
    await clearInbox(stage.ground);
    if (refusedOtherwise(burst) > 0) broken.push(`${refusedOtherwise(burst)} of the burst got neither 200 nor 503`);
    return {
      figures: figuresOfRun({ full, steady, steadyFloor, burst, noisy, quiet, drainMs, fsync, rate, burstSize }),
      broken,
      raw: { full: Object.fromEntries(full), steady, steadyFloor, burst, noisy, quiet, drainMs, fsync },
    };
  };
}

/** In slices, one server after the other: what else goes on in the machine meets them all alike. */
async function saturateInTurn(
  stage: Stage,
  run: number,
  seconds: number,
  send: (name: ServerName, about: string, changed: Partial<LoadPlan>) => Promise<LoadResult>,
): Promise<ReadonlyMap<ServerName, FullLoad>> {
  const { short } = stage.options;
  const full = new Map<ServerName, FullLoad>();
  const slices = short ? 1 : SLICES;
  for (let slice = 0; slice < slices; slice++) {
    for (const name of SERVERS) {
      if (run + slice === 0) await send(name, "warm", { seconds: short ? 0.3 : 2 });
      const readCpu = () => readCpuTime(stage.servers.get(name)?.pid ?? 0, stage.ground.postgresPid);
      const before = await readCpu();
      const result = await send(name, `full${slice}`, { seconds: seconds / slices });
      const after = await readCpu();
      const serverMs = after.serverMs - before.serverMs;
      full.set(name, sum(full.get(name), { ...result, serverMs, postgresMs: after.postgresMs - before.postgresMs }));
      await clearInbox(stage.ground);
    }
  }
  return full;
}
const SLICES = 4;

function sum(former: FullLoad | undefined, next: FullLoad): FullLoad {
  if (former === undefined) return next;
  return {
    ...next,
    startedAtMs: former.startedAtMs,
    elapsedMs: former.elapsedMs + next.elapsedMs,
    accepted: Uint32Array.of(...former.accepted, ...next.accepted),
    latenciesMs: Float64Array.of(...former.latenciesMs, ...next.latenciesMs),
    seconds: [...former.seconds, ...next.seconds],
    serverMs: former.serverMs + next.serverMs,
    postgresMs: former.postgresMs + next.postgresMs,
  };
}

function planOf(stage: Stage, name: ServerName, idPrefix: string): LoadPlan {
  return {
    url: stage.servers.get(name)?.url ?? "",
    targets: stage.targets,
    // A topic that is routed to nobody: what follows after the inbox is another bench's matter.
    topic: "carts/update",
    secret: APP_SECRET,
    idPrefix,
    from: 0,
    distinctOrders: false,
    duplicateEvery: 0,
    connections: CONNECTIONS,
    seconds: 1,
    rate: null,
  };
}

function startWorker(ground: Ground): Promise<Child> {
  return startChild({
    script: "packages/backend/src/main.ts",
    args: ["worker"],
    env: ground.env,
    ready: "worker is running",
  });
}

/** @returns how long after the start of the burst the router had looked at everything */
async function drained(ground: Ground, fromMs: number): Promise<number> {
  await waitFor(
    async () => {
      const [row] = await ground.sql`select exists (select 1 from queue.arrivals) as waiting`;
      return row?.["waiting"] === false;
    },
    { timeoutMs: DRAIN_MS_MAX, intervalMs: 50, what: "the router to look at everything" },
  );
  return performance.timeOrigin + performance.now() - fromMs;
}

function refusedOtherwise({ statuses }: LoadResult): number {
  return Object.entries(statuses).reduce(
    (sum, [status, count]) => sum + (status === "200" || status === "503" ? 0 : count),
    0,
  );
}

function figuresOfRun(found: {
  readonly full: ReadonlyMap<ServerName, FullLoad>;
  readonly steady: LoadResult;
  readonly steadyFloor: LoadResult;
  readonly burst: LoadResult;
  readonly noisy: LoadResult;
  readonly quiet: LoadResult;
  readonly drainMs: number;
  readonly fsync: readonly number[];
  readonly rate: number;
  readonly burstSize: number;
}): readonly Figure[] {
  const { full, steady, steadyFloor, burst, noisy, quiet, drainMs, fsync, rate, burstSize } = found;
  const speed = (name: ServerName) => {
    const result = full.get(name);
    return result === undefined ? Number.NaN : (result.accepted.length * 1_000) / result.elapsedMs;
  };
  const cpuUs = (name: ServerName, of: "serverMs" | "postgresMs") => {
    const result = full.get(name);
    return result === undefined ? Number.NaN : (result[of] * 1_000) / result.accepted.length;
  };
  const times = (result: LoadResult | undefined) => figuresOf(Array.from(result?.latenciesMs ?? []));
  const product = times(full.get("product"));
  return [
    { name: "accepted, 64 connections", unit: "/s", value: speed("product"), target: "≥ 1500" },
    { name: "— p50", unit: "ms", value: product.p50 },
    { name: "— p99", unit: "ms", value: product.p99, target: "≤ 40" },
    { name: "floor: no database, nothing sealed", unit: "/s", value: speed("floor") },
    { name: "— p99 of the floor", unit: "ms", value: times(full.get("floor")).p99 },
    { name: "all but the database", unit: "/s", value: speed("sealed") },
    { name: "peer: one INSERT per webhook", unit: "/s", value: speed("single") },
    { name: "— p99 of the peer", unit: "ms", value: times(full.get("single")).p99 },
    { name: "accepted to floor", unit: "×", value: speed("product") / speed("floor"), target: "≥ 0.32" },
    { name: "accepted to peer", unit: "×", value: speed("product") / speed("single"), target: "≥ 1.6" },
    { name: "processor per webhook: server", unit: "µs", value: cpuUs("product", "serverMs") },
    { name: "processor per webhook: Postgres", unit: "µs", value: cpuUs("product", "postgresMs") },
    { name: "processor per webhook: the floor's server", unit: "µs", value: cpuUs("floor", "serverMs") },
    { name: "processor per webhook: the peer's server", unit: "µs", value: cpuUs("single", "serverMs") },
    {
      name: "processor per webhook: the peer's Postgres",
      unit: "µs",
      value: cpuUs("single", "postgresMs"),
    },
    { name: `at ${rate}/s: p50`, unit: "ms", value: times(steady).p50, target: "≤ 10" },
    { name: `at ${rate}/s: p99`, unit: "ms", value: times(steady).p99, target: "≤ 50" },
    { name: `at ${rate}/s: p50 of the floor`, unit: "ms", value: times(steadyFloor).p50 },
    { name: `at ${rate}/s: p99 of the floor`, unit: "ms", value: times(steadyFloor).p99 },
    { name: `burst of ${burstSize} in 1 s: accepted`, unit: "", value: burst.accepted.length },
    { name: "burst: answered 503", unit: "", value: burst.statuses["503"] ?? 0 },
    { name: "burst: p99 of the accepted", unit: "ms", value: times(burst).p99 },
    { name: "burst: all looked at by the router after", unit: "s", value: drainMs / 1_000, target: "< 15" },
    { name: "noisy address beside a quiet one: accepted of the noisy", unit: "%", value: acceptedPercent(noisy) },
    { name: "— accepted of the quiet", unit: "%", value: acceptedPercent(quiet), target: "≥ 99" },
    { name: "— p99 of the quiet", unit: "ms", value: times(quiet).p99 },
    { name: "floor: one fsync of 8 KB, p50", unit: "ms", value: figuresOf(fsync).p50 },
    { name: "floor: one fsync of 8 KB, p99", unit: "ms", value: figuresOf(fsync).p99 },
  ];
}

function acceptedPercent({ accepted, statuses }: LoadResult): number {
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  return (accepted.length * 100) / answered;
}

function summary(result: LoadResult): string {
  const { p50, p99 } = figuresOf(Array.from(result.latenciesMs));
  const speed = (result.accepted.length * 1_000) / result.elapsedMs;
  const refused = Object.entries(result.statuses).filter(([status]) => status !== "200");
  return `${speed.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms${refused.map(([status, count]) => `, ${count} × ${status}`).join("")}`;
}
