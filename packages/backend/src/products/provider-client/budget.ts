import { LRUCache } from "lru-cache";
import type { BudgetObservation, Connector } from "../../connectors/kit/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Priority } from "./client.ts";

/** What each grant may still spend at its provider, by our count and by what the provider says. */
export interface Budgets {
  /**
   * Takes `cost` units if they are there.
   *
   * @param waitedMs how long this call waited already: who waited long may use the reserve too
   * @returns milliseconds to wait before asking again; 0: taken
   */
  take(key: string, connector: Connector, cost: number, priority: Priority, waitedMs: number): number;
  /**
   * The provider's own count after a call that took `cost`. What it charged less is given back; others share the
   * account, so the lower of the two counts wins.
   */
  observe(key: string, observation: BudgetObservation, cost: number): void;
  /** The provider refused a call: nothing is left, and nothing comes for so long. */
  exhaust(key: string, retryAfterSeconds: number | null): void;
}

interface Bucket {
  limit: number;
  remaining: number;
  restorePerSecond: number;
  /** When `remaining` was true; in the future while nothing may be spent. */
  at: number;
}

/** Grants whose budget is remembered; a forgotten one starts from what its connector declares. */
const GRANTS_MAX = 10_000;
/** Share of the budget that runs leave to people and webhooks. */
const RESERVE = 0.2;
/** So long a run waits before it may use the reserve: it is slowed down, never starved. */
const RESERVE_WAIT_MS_MAX = 5_000;

export function createBudgets(clock: Clock): Budgets {
  const buckets = new LRUCache<string, Bucket>({ max: GRANTS_MAX });
  return {
    take(key, connector, cost, priority, waitedMs) {
      const bucket = buckets.get(key) ?? declaredBucket(connector, clock.now().getTime());
      if (bucket === null) return 0;
      buckets.set(key, bucket);
      refill(bucket, clock.now().getTime());
      const wanted = priceOf(bucket, cost);
      const reserve = isPatient(priority) && waitedMs < RESERVE_WAIT_MS_MAX ? bucket.limit * RESERVE : 0;
      const missing = wanted + reserve - bucket.remaining;
      if (missing <= 0) {
        bucket.remaining -= wanted;
        return 0;
      }
      const blockedMs = Math.max(0, bucket.at - clock.now().getTime());
      return Math.max(1, Math.ceil(blockedMs + (missing / bucket.restorePerSecond) * 1000));
    },
    observe(key, { limit, remaining, restorePerSecond, cost: charged }, cost) {
      if (!(limit > 0) || !(restorePerSecond > 0)) return;
      const now = clock.now().getTime();
      const bucket = buckets.get(key);
      if (bucket === undefined) {
        buckets.set(key, { limit, remaining, restorePerSecond, at: now });
        return;
      }
      refill(bucket, now);
      // What else is in flight was taken from ours and is not in theirs yet.
      const ours = bucket.limit === limit ? bucket.remaining + priceOf(bucket, cost) - charged : remaining;
      buckets.set(key, { limit, remaining: Math.min(ours, remaining), restorePerSecond, at: Math.max(bucket.at, now) });
    },
    exhaust(key, retryAfterSeconds) {
      const bucket = buckets.get(key);
      if (bucket === undefined) return;
      bucket.remaining = Math.min(bucket.remaining, 0);
      bucket.at = Math.max(bucket.at, clock.now().getTime() + (retryAfterSeconds ?? 1) * 1000);
    },
  };
}

/** A call that costs more than there ever is must still be possible. */
function priceOf(bucket: Bucket, cost: number): number {
  return Math.min(cost, bucket.limit * (1 - RESERVE));
}

function refill(bucket: Bucket, now: number): void {
  if (now <= bucket.at) return;
  const restored = ((now - bucket.at) / 1000) * bucket.restorePerSecond;
  bucket.remaining = Math.min(bucket.limit, bucket.remaining + restored);
  bucket.at = now;
}

function isPatient(priority: Priority): boolean {
  return priority === "incremental" || priority === "backfill";
}

/** What the connector declares of one connection, until the provider tells more. */
function declaredBucket(connector: Connector, now: number): Bucket | null {
  for (const limit of connector.limits) {
    if (limit.scope !== "connection") continue;
    if (limit.kind === "cost") {
      return { limit: limit.capacity, remaining: limit.capacity, restorePerSecond: limit.perSecond, at: now };
    }
    if (limit.kind === "requests") {
      const restorePerSecond = limit.requests / limit.perSeconds;
      return { limit: limit.requests, remaining: limit.requests, restorePerSecond, at: now };
    }
  }
  return null;
}
