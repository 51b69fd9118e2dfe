import { waitFor } from "../../harness/wait-for.ts";
import { followWebhooks } from "../deliver/whole-way.ts";
import type { OpenBench } from "../kit/bench.ts";

const REPLAY_RATE = 1_000;
const REPLAYED_MS_MAX = 900_000;
const SETTLE_MS_MAX = 120_000;

/** What live webhooks feel of a replay of many old ones. */
export const openReplay: OpenBench = async ({ whole, say, short, count }) => {
  const stage = await whole();
  await stage.endpoint("/orders", ["order.created"]);
  await stage.worker();
  const targets = await stage.stores();
  const total = count("webhooks", short ? 50 : 100_000);
  const since = new Date().toISOString();
  const fill = count("fillRate", short ? 50 : 500);
  const filled = await followWebhooks(stage, targets, {
    from: stage.takeOrders(total),
    rate: fill,
    seconds: total / fill,
    duplicateEvery: 0,
    settleMsMax: SETTLE_MS_MAX + total * 10,
  });
  const until = new Date().toISOString();
  const rate = 20;
  const seconds = count("seconds", short ? 1 : 30);
  const live = () =>
    followWebhooks(stage, targets, {
      from: stage.takeOrders(rate * seconds),
      rate,
      seconds,
      duplicateEvery: 0,
      settleMsMax: SETTLE_MS_MAX,
    });
  return {
    async run() {
      const alone = await live();
      const startedMs = performance.now();
      const { id } = await stage.patchbay.inbox.replay({ since, until, ratePerSecond: REPLAY_RATE });
      const beside = await live();
      const ended = await waitFor(
        async () => {
          const replay = await stage.patchbay.inbox.retrieveReplay(id);
          return replay.status === "running" ? null : replay;
        },
        { timeoutMs: REPLAYED_MS_MAX, intervalMs: 250, what: "the replay to end" },
      );
      const replaySeconds = (performance.now() - startedMs) / 1_000;
      say(`  ${ended.replayed} replayed in ${replaySeconds.toFixed(1)} s`);
      const missed = filled.load.accepted.length - ended.replayed;
      return {
        figures: [
          { name: "webhooks replayed", unit: "", value: ended.replayed },
          { name: "in", unit: "s", value: replaySeconds },
          { name: "live webhook to verified event, alone: p95", unit: "ms", value: alone.latencyMs.p95 },
          { name: "beside the replay: p95", unit: "ms", value: beside.latencyMs.p95 },
          {
            name: "beside the replay to alone",
            unit: "×",
            value: beside.latencyMs.p95 / alone.latencyMs.p95,
            target: "≤ 1.5",
          },
        ],
        broken: [
          ...filled.broken,
          ...alone.broken,
          ...beside.broken,
          ...(missed <= 0 ? [] : [`${missed} webhooks were not replayed`]),
        ],
        raw: { alone: alone.latencyMs, beside: beside.latencyMs, ended, replaySeconds },
      };
    },
    close: async () => {},
  };
};
