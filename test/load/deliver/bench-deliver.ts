import { waitFor } from "../../harness/wait-for.ts";
import { coveredRate } from "./covered-rate.ts";
import type { Bench, BenchOptions, Figure, OpenBench } from "../kit/bench.ts";
import { openEventSource, type EventSource } from "../kit/event-source.ts";
import { figuresOf } from "../kit/figures.ts";
import { measureFsync } from "../kit/fsync-floor.ts";
import type { Target } from "../kit/load-plan.ts";
import type { WholeStage } from "../kit/whole-stage.ts";
import { measureFloor } from "../loop/floor.ts";
import { followWebhooks, type WholeWay } from "./whole-way.ts";

const TENANTS = 20;
const ARRIVAL_MS_MAX = 120_000;
const FLOOR_ROUNDS = 300;
const FLOOR_BODY_BYTES = 2_000;
const FSYNC_ROUNDS = 300;

/** How fast events reach a host that answers at once, and how long one takes from the provider's webhook on. */
export const openDeliver: OpenBench = async (options) => {
  const stage = await options.whole();
  await stage.endpoint("/volume", ["run.started"]);
  await stage.endpoint("/orders", ["order.created"]);
  await stage.worker();
  const targets = await stage.stores();
  const source = await openEventSource(stage);
  return { run: createRun({ options, stage, targets, source }), close: async () => {} } satisfies Bench;
};

interface Props {
  readonly options: BenchOptions;
  readonly stage: WholeStage;
  readonly targets: readonly Target[];
  readonly source: EventSource;
}

function createRun({ options, stage, targets, source }: Props): Bench["run"] {
  const { short, say, count } = options;
  return async () => {
    const floor = figuresOf(await measureFloor(FLOOR_ROUNDS, FLOOR_BODY_BYTES));
    const fsync = figuresOf(await measureFsync(stage.ground.folder, FSYNC_ROUNDS));
    const volume = await deliverVolume(stage, source, count("events", short ? 100 : 10_000));
    say(`  ${volume.events} events to one healthy endpoint: ${volume.perSecond.toFixed(0)}/s`);
    const ways = new Map<number, WholeWay>();
    for (const rate of short ? [20] : [count("rate", 200), count("fullRate", 1_000)]) {
      const seconds = count("seconds", short ? 1 : 10);
      const input = {
        from: stage.takeOrders(rate * seconds),
        rate,
        seconds,
        duplicateEvery: 0,
        settleMsMax: ARRIVAL_MS_MAX,
      };
      const way = await followWebhooks(stage, targets, input);
      ways.set(rate, way);
      const { p50, p95, p99 } = way.latencyMs;
      say(`  ${rate}/s: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`);
    }
    return {
      figures: [
        { name: "deliveries to a healthy host", unit: "/s", value: volume.perSecond, target: "≥ 1500" },
        ...[...ways].flatMap(([rate, way]) => figuresOfWay(rate, way)),
        { name: "floor: two bare HTTP hops, p50", unit: "ms", value: floor.p50 },
        { name: "floor: two bare HTTP hops, p95", unit: "ms", value: floor.p95 },
        { name: "floor: one fsync of 8 KB, p50", unit: "ms", value: fsync.p50 },
      ],
      broken: [...volume.broken, ...[...ways.values()].flatMap((way) => way.broken)],
      raw: { volume, ways: Object.fromEntries(ways), floor, fsync },
    };
  };
}

function figuresOfWay(rate: number, way: WholeWay): readonly Figure[] {
  const target = rate >= 1_000 ? "≤ 400" : "≤ 125";
  return [
    { name: `webhook to verified event at ${rate}/s: p50`, unit: "ms", value: way.latencyMs.p50 },
    { name: `webhook to verified event at ${rate}/s: p95`, unit: "ms", value: way.latencyMs.p95, target },
    { name: `webhook to verified event at ${rate}/s: p99`, unit: "ms", value: way.latencyMs.p99 },
    { name: `at ${rate}/s: all arrived after the last webhook`, unit: "s", value: Math.max(0, way.settledMs) / 1_000 },
  ];
}

/** Appends events of many tenants and waits for them at the host. */
async function deliverVolume(stage: WholeStage, source: EventSource, total: number) {
  await stage.sink.take();
  const each = Math.ceil(total / TENANTS);
  const expected = new Set<string>();
  for (let t = 0; t < TENANTS; t++) {
    const tenant = await source.tenant(`volume-${t}`);
    for (const id of await source.append(tenant, "run.started", each)) expected.add(id);
  }
  const seen = async () => new Set((await stage.sink.look()).map(({ eventId }) => eventId));
  const arrived = async () => (await stage.sink.count()) >= expected.size && (await seen()).size >= expected.size;
  await waitFor(arrived, { timeoutMs: ARRIVAL_MS_MAX, intervalMs: 250, what: "all events" }).catch(() => false);
  const receipts = await stage.sink.take();
  const lost = expected.size - new Set(receipts.map(({ eventId }) => eventId)).size;
  return {
    events: expected.size,
    perSecond: coveredRate(receipts.map(({ atMs }) => atMs)),
    broken: lost === 0 ? [] : [`${lost} of ${expected.size} events were not delivered`],
  };
}
