import { figuresOf, type Figures } from "../kit/figures.ts";
import { runLoad, type LoadPlan, type LoadResult, type Target } from "../kit/load-plan.ts";
import { ORDER_ID_BASE } from "../kit/order-body.ts";
import type { Receipt } from "../kit/start-sink.ts";
import { STORE_APP, type WholeStage } from "../kit/whole-stage.ts";
import { waitFor } from "../../harness/wait-for.ts";

/** What came of webhooks that each tell of a new order, at the other end. */
export interface WholeWay {
  readonly load: LoadResult;
  /** From when a webhook was due to its event, verified by the host. */
  readonly latencyMs: Figures;
  /** From the last webhook's due time until everything had arrived. */
  readonly settledMs: number;
  readonly receipts: readonly Receipt[];
  /** Orders that the host was told of by more than one event. */
  readonly doubled: number;
  readonly broken: readonly string[];
}

const OPEN_CONNECTIONS = 200;

/**
 * Sends webhooks on schedule and waits until the host has the event of every order that was accepted.
 *
 * @param from the first order's number: those of former calls must not come again
 */
export async function followWebhooks(
  stage: WholeStage,
  targets: readonly Target[],
  input: Pick<LoadPlan, "from" | "rate" | "seconds" | "duplicateEvery"> & { readonly settleMsMax: number },
): Promise<WholeWay> {
  const { from, rate, seconds, duplicateEvery, settleMsMax } = input;
  await stage.sink.take();
  const load = await runLoad({
    url: stage.url,
    targets,
    topic: "orders/create",
    secret: STORE_APP.clientSecret,
    idPrefix: "order-",
    from,
    distinctOrders: true,
    duplicateEvery,
    connections: OPEN_CONNECTIONS,
    seconds,
    rate,
  });
  const orders = new Set(load.accepted);
  const arrived = async () =>
    (await stage.sink.count()) >= orders.size && new Set(ordersOf(await stage.sink.look(), from)).size >= orders.size;
  await waitFor(arrived, { timeoutMs: settleMsMax, intervalMs: 250, what: "all events" }).catch(() => false);
  const receipts = (await stage.sink.take()).filter(({ remoteId }) => numberOf(remoteId) >= from);
  const firstMs = new Map<number, number>();
  for (const { remoteId, atMs } of receipts) {
    const n = numberOf(remoteId);
    firstMs.set(n, Math.min(firstMs.get(n) ?? Number.POSITIVE_INFINITY, atMs));
  }
  const events = eventsOfOrders(receipts);
  const lost = [...orders].filter((n) => !events.has(n)).length;
  const doubled = [...events.values()].filter((ids) => ids.size > 1).length;
  const dueMs = (n: number) => load.startedAtMs + (rate === null ? 0 : ((n - from) * 1_000) / rate);
  const latencies = [...firstMs].map(([n, atMs]) => atMs - dueMs(n));
  const lastMs = [...firstMs.values()].reduce((last, atMs) => Math.max(last, atMs), 0);
  return {
    load,
    latencyMs: figuresOf(latencies),
    settledMs: lastMs - (load.startedAtMs + seconds * 1_000),
    receipts,
    doubled,
    broken: [
      ...(lost === 0 ? [] : [`${lost} orders were accepted and the host was not told`]),
      ...(doubled === 0 ? [] : [`of ${doubled} orders the host was told by two events`]),
    ],
  };
}

function eventsOfOrders(receipts: readonly Receipt[]): ReadonlyMap<number, ReadonlySet<string>> {
  const events = new Map<number, Set<string>>();
  for (const { remoteId, eventId } of receipts) {
    const n = numberOf(remoteId);
    const ids = events.get(n);
    if (ids === undefined) events.set(n, new Set([eventId]));
    else ids.add(eventId);
  }
  return events;
}

function ordersOf(receipts: readonly Receipt[], from: number): readonly number[] {
  return receipts.map(({ remoteId }) => numberOf(remoteId)).filter((n) => n >= from);
}

function numberOf(remoteId: string | null): number {
  return remoteId === null ? -1 : Number(remoteId) - ORDER_ID_BASE;
}
