import { LRUCache } from "lru-cache";
import type { Clock } from "../../platform/runtime/index.ts";

/**
 * What is known of tokens that some request was refused with right after a refresh: without it, every further refusal
 * would cost a refresh.
 */
export interface Refusals {
  /** `null`: nothing, or too long ago. */
  about(grantId: string, rowVersion: number): Verdict | null;
  /** The identity call took the token: the refusal is the request's. */
  good(grantId: string, rowVersion: number): void;
  /** The identity call was refused too. @returns whether it was a while ago as well: then no outage of a moment */
  refused(grantId: string, rowVersion: number): boolean;
}
export type Verdict = "good" | "refused";

const GRANTS_MAX = 10_000;
/** A verdict holds so long; a second refusal counts when it comes later. */
const VERDICT_MS = 60_000;
/** Two refusals further apart than this have nothing to do with each other. */
const APART_MS_MAX = 3_600_000;

interface Known {
  readonly verdict: Verdict;
  readonly rowVersion: number;
  readonly at: number;
  /** When the first of the refusals was. */
  readonly since: number;
}

export function createRefusals(clock: Clock): Refusals {
  const known = new LRUCache<string, Known>({ max: GRANTS_MAX });
  return {
    about(grantId, rowVersion) {
      const found = known.get(grantId);
      if (found === undefined || clock.now().getTime() - found.at >= VERDICT_MS) return null;
      // Good is said of one token; that none is taken, of all.
      return found.verdict === "refused" || found.rowVersion === rowVersion ? found.verdict : null;
    },
    good(grantId, rowVersion) {
      const at = clock.now().getTime();
      known.set(grantId, { verdict: "good", rowVersion, at, since: at });
    },
    refused(grantId, rowVersion) {
      const at = clock.now().getTime();
      const before = known.get(grantId);
      const again = before?.verdict === "refused" && at - before.since < APART_MS_MAX;
      const since = again ? before.since : at;
      known.set(grantId, { verdict: "refused", rowVersion, at, since });
      return at - since >= VERDICT_MS;
    },
  };
}
