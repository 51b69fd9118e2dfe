import { AppError } from "@patchbay/shared";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../platform/runtime/index.ts";
import type { SessionContext } from "./session-context.ts";

/** Keeps one session or person from wearing out a provider's patience. Per process: a bound, not an account. */
export interface Limits {
  /** @throws AppError `rate_limited` */
  countAuthorization(session: SessionContext): void;
  /** @throws AppError `rate_limited` */
  countCall(session: SessionContext): void;
}

const AUTHORIZATIONS_PER_SESSION = 20;
const CALLS_PER_MINUTE = 60;
const MINUTE_MS = 60_000;
const KEYS_MAX = 10_000;

export function createLimits(clock: Clock): Limits {
  const authorizations = new LRUCache<string, number>({ max: KEYS_MAX });
  const calls = new LRUCache<string, number[]>({ max: KEYS_MAX });
  return {
    countAuthorization(session) {
      const count = authorizations.get(session.sessionId) ?? 0;
      if (count >= AUTHORIZATIONS_PER_SESSION) {
        // No waiting helps this session; the host mints a new one when it ends.
        const leftMs = session.expiresAt.getTime() - clock.now().getTime();
        throw tooMany(leftMs);
      }
      authorizations.set(session.sessionId, count + 1);
    },
    countCall(session) {
      const key = [session.workspaceId, session.tenantUid, session.endUser.id].join(":");
      const now = clock.now().getTime();
      const recent = (calls.get(key) ?? []).filter((at) => at > now - MINUTE_MS);
      const [oldest] = recent;
      if (recent.length >= CALLS_PER_MINUTE && oldest !== undefined) throw tooMany(oldest + MINUTE_MS - now);
      calls.set(key, [...recent, now]);
    },
  };
}

function tooMany(waitMs: number): AppError {
  return new AppError("rate_limited", "too many tries; wait before the next", {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}
