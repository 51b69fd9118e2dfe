import { LRUCache } from "lru-cache";
import { createHash } from "node:crypto";
import type { Clock } from "../../platform/runtime/index.ts";

/**
 * Counts API keys that were refused. It never stands in the way of a good one: only what failed is answered
 * otherwise, so nobody can lock another out, however many share an address. Per process: a bound, not an account.
 */
export interface FailedAttempts {
  /** Whether just this text failed a moment ago: it need not be looked up again. */
  isKnown(text: string): boolean;
  /** @returns seconds to wait when there were too many, else `null` */
  count(text: string, from: { readonly publicId: string; readonly address: string | null }): number | null;
}

const WINDOW_MS = 60_000;
const PER_KEY_MAX = 20;
const PER_ADDRESS_MAX = 60;
/** Of each kind; the oldest goes first. */
const ENTRIES_MAX = 10_000;

interface Window {
  readonly until: number;
  count: number;
}

export function createFailedAttempts(clock: Clock): FailedAttempts {
  const known = new LRUCache<string, number>({ max: ENTRIES_MAX });
  const windows = new LRUCache<string, Window>({ max: 2 * ENTRIES_MAX });

  /** Seconds until there is room again. */
  function add(name: string, countMax: number, now: number): number {
    const held = windows.get(name);
    const window = held === undefined || held.until <= now ? { until: now + WINDOW_MS, count: 0 } : held;
    window.count += 1;
    windows.set(name, window);
    return window.count > countMax ? Math.ceil((window.until - now) / 1_000) : 0;
  }

  return {
    isKnown: (text) => (known.get(digest(text)) ?? 0) > clock.now().getTime(),
    count(text, { publicId, address }) {
      const now = clock.now().getTime();
      known.set(digest(text), now + WINDOW_MS);
      const waitSeconds = Math.max(
        add(`key ${publicId}`, PER_KEY_MAX, now),
        address === null ? 0 : add(`address ${address}`, PER_ADDRESS_MAX, now),
      );
      return waitSeconds === 0 ? null : waitSeconds;
    },
  };
}

/** What failed today may be a typing error in a good key: it is not kept. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
