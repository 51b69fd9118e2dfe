/** What an endpoint's row says about how deliveries to it go. */
export interface EndpointHealth {
  readonly consecutiveFailures: number;
  /** The first failure since the last success. */
  readonly failingSince: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly openUntil: Date | null;
}

/** `open`: try nothing before `until`; `probe`: one attempt may find out whether it is well again. */
export type Gate = { readonly kind: "closed" | "probe" } | { readonly kind: "open"; readonly until: Date };

export interface HealthChange {
  readonly health: EndpointHealth;
  /** What the host is to be told, once per change. */
  readonly tell: "failing" | "recovered" | null;
  /** The endpoint has failed for so long that it is to be disabled. */
  readonly giveUp: boolean;
}

/** The breaker opens at this count. With two taken off by each success, that needs more than two thirds failing. */
const FAILURES_TO_OPEN = 10;
const SUCCESS_TAKES_OFF = 2;
const OPEN_MS_MIN = 30_000;
const OPEN_MS_MAX = 30 * 60_000;
/** A receiver that asks for a pause is left alone for at most this long; its own delivery may wait longer. */
const PAUSE_MS_MAX = OPEN_MS_MAX;
/** While a probe is out, other deliveries wait this long: longer than an attempt may take. */
const PROBE_MS = 20_000;
const GIVE_UP_AFTER_MS = 5 * 24 * 60 * 60_000;
/** A success is written down at most this often while all is well: the row is shared by every lane of the endpoint. */
const SUCCESS_NOTED_EVERY_MS = 60_000;

export function gate(health: EndpointHealth, now: Date): Gate {
  if (health.openUntil !== null && health.openUntil > now) return { kind: "open", until: health.openUntil };
  return { kind: isFailing(health) ? "probe" : "closed" };
}

/** Until when others wait while one delivery finds out whether the endpoint is well again. */
export function probeUntil(now: Date): Date {
  return new Date(now.getTime() + PROBE_MS);
}

/**
 * @param failure.weight 2 for answers that say that the request itself is not wanted (4xx), else 1
 * @param failure.probe whether the attempt was the one let through to find out: only such a one prolongs the break, not
 *   those that were under way when it began
 */
export function afterFailure(
  health: EndpointHealth,
  now: Date,
  failure: { readonly weight: 1 | 2; readonly pauseMs: number | null; readonly probe: boolean },
): HealthChange {
  const failingSince = health.failingSince ?? now;
  const giveUp = now.getTime() - failingSince.getTime() >= GIVE_UP_AFTER_MS;
  if (isFailing(health) && !failure.probe) return { health: { ...health, failingSince }, tell: null, giveUp };

  const consecutiveFailures = isFailing(health)
    ? health.consecutiveFailures + 1
    : Math.min(FAILURES_TO_OPEN, health.consecutiveFailures + failure.weight);
  const waitMs = Math.max(openMs(consecutiveFailures), Math.min(failure.pauseMs ?? 0, PAUSE_MS_MAX));
  const openUntil = waitMs === 0 ? null : new Date(now.getTime() + waitMs);
  return {
    health: { ...health, consecutiveFailures, failingSince, openUntil },
    tell: consecutiveFailures === FAILURES_TO_OPEN ? "failing" : null,
    giveUp,
  };
}

export function afterSuccess(health: EndpointHealth, now: Date): HealthChange {
  const wasFailing = isFailing(health);
  return {
    health: {
      consecutiveFailures: wasFailing ? 0 : Math.max(0, health.consecutiveFailures - SUCCESS_TAKES_OFF),
      failingSince: null,
      lastSuccessAt: now,
      // A pause that the receiver asked for goes on although another delivery got through.
      openUntil: wasFailing ? null : health.openUntil,
    },
    tell: wasFailing ? "recovered" : null,
    giveUp: false,
  };
}

/** Whether a success changes nothing worth a write. */
export function isWell(health: EndpointHealth, now: Date): boolean {
  return (
    health.consecutiveFailures === 0 &&
    health.failingSince === null &&
    health.lastSuccessAt !== null &&
    now.getTime() - health.lastSuccessAt.getTime() < SUCCESS_NOTED_EVERY_MS
  );
}

/** As new: for an endpoint that a person enabled, moved or asked to be tried. */
export const UNTRIED = {
  consecutiveFailures: 0,
  failingSince: null,
  openUntil: null,
} as const satisfies Partial<EndpointHealth>;

function isFailing(health: EndpointHealth): boolean {
  return health.consecutiveFailures >= FAILURES_TO_OPEN;
}

function openMs(consecutiveFailures: number): number {
  if (consecutiveFailures < FAILURES_TO_OPEN) return 0;
  return Math.min(OPEN_MS_MIN * 2 ** (consecutiveFailures - FAILURES_TO_OPEN), OPEN_MS_MAX);
}
