import type { OpenBench } from "../kit/bench.ts";
import { followWebhooks } from "./whole-way.ts";

/** Every fifth webhook is a copy. */
const DUPLICATE_EVERY = 5;

/** Webhooks of which many come twice, some at the same time as their first: the host gets one event per order. */
export const openDedupe: OpenBench = async ({ short, say, count, whole }) => {
  const stage = await whole();
  await stage.endpoint("/orders", ["order.created"]);
  await stage.endpoint("/changes", ["order.updated"]);
  // Two routers and two fetchers beside each other.
  await stage.worker();
  const second = await stage.startWorker();
  const targets = await stage.stores();
  return {
    async run() {
      const total = count("webhooks", short ? 100 : 10_000);
      const rate = count("rate", short ? 100 : 200);
      const seconds = Math.max(1, total / rate);
      const way = await followWebhooks(stage, targets, {
        from: stage.takeOrders(total),
        rate,
        seconds,
        duplicateEvery: DUPLICATE_EVERY,
        settleMsMax: 60_000 + seconds * 10_000,
      });
      const orders = new Set(way.load.accepted).size;
      const events = new Set(way.receipts.map(({ eventId }) => eventId)).size;
      say(`  ${way.load.accepted.length} webhooks about ${orders} orders: ${events} events`);
      return {
        figures: [
          { name: "webhooks accepted", unit: "", value: way.load.accepted.length },
          { name: "copies among them", unit: "", value: way.load.accepted.length - orders },
          { name: "events at the host", unit: "", value: events },
          { name: "orders told of by two events", unit: "", value: way.doubled, target: "0" },
        ],
        broken: way.broken,
        raw: { load: way.load, latencyMs: way.latencyMs, orders, events },
      };
    },
    close: () => second.stop(),
  };
};
