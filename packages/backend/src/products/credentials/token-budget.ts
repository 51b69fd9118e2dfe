import { and, eq, gt, sql } from "drizzle-orm";
import type { Connector } from "../../connectors/kit/index.ts";
import { tokenBudgets } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { GrantRow } from "./load-grant.ts";

/**
 * What a provider app may ask of its provider's token endpoint: one row for all processes. Every call reserves a place
 * in time (GCRA); a pause that the endpoint asks for, or its failing, holds all of them up.
 */
export type Turn =
  /** Send in so many milliseconds, and before this process's running time `sendByMs`: later the place is lost. */
  | { readonly kind: "reserved"; readonly inMs: number; readonly sendByMs: number }
  /** Nothing was reserved; there may be a place in so many milliseconds. */
  | { readonly kind: "later"; readonly ms: number };

export interface TokenLimit {
  readonly requests: number;
  readonly perSeconds: number;
}

type AppOf = Pick<GrantRow, "workspaceId" | "providerAppId">;

/** Where a connector declares none. */
const DEFAULT_LIMIT: TokenLimit = { requests: 100, perSeconds: 10 };
/** Of the limit: how much may come at once, and how much is left over for calls that are sent late or travel slowly. */
const BURST = 0.1;
const HEADROOM = 0.1;
/** Of the limit's window: as late may a call be sent. The other half of the headroom is for its way. */
const LATE = HEADROOM / 2;
/** So many lost answers in a row mean that the endpoint is down: then one call at a time tries it. */
const FAILURES_MAX = 5;
const PAUSE_MS = 5_000;
const PAUSE_MS_MAX = 60_000;
/** A longer wait is a mistake or an insult. */
const RETRY_AFTER_MS_MAX = 3_600_000;

/** The connector's limit named `token`. */
export function tokenLimitOf(connector: Connector | undefined): TokenLimit {
  for (const limit of connector?.limits ?? []) {
    if (limit.kind === "requests" && limit.scope === "app" && limit.name === "token") return limit;
  }
  return DEFAULT_LIMIT;
}

/** Takes the app's row last: grants are locked before it. @param waitMsMax a place further away is not reserved */
export async function reserveTurn(tx: Tx, app: AppOf, limit: TokenLimit, waitMsMax: number): Promise<Turn> {
  const { stepMs, aheadMs } = paceOf(limit);
  const startedMs = performance.now();
  const now = sql`clock_timestamp()`;
  const from = sql`greatest(${tokenBudgets.paidUntil}, ${now})`;
  const [reserved] = await tx
    .insert(tokenBudgets)
    .values({ ...appOf(app), paidUntil: sql`${now} + ${ms(stepMs)}` })
    .onConflictDoUpdate({
      target: [tokenBudgets.workspaceId, tokenBudgets.providerAppId],
      set: {
        paidUntil: sql`${from} + ${ms(stepMs)}`,
        // Whoever finds the pause over tries the endpoint; the others wait for what comes of it.
        blockedUntil: sql`case when ${tokenBudgets.failures} >= ${FAILURES_MAX} then ${now} + ${ms(PAUSE_MS)} end`,
      },
      setWhere: sql`${from} <= ${now} + ${ms(aheadMs + waitMsMax)} and coalesce(${tokenBudgets.blockedUntil} <= ${now}, true)`,
    })
    .returning({ inMs: msFromNow(sql`${tokenBudgets.paidUntil} - ${ms(stepMs + aheadMs)}`) });
  if (reserved !== undefined) {
    const inMs = Math.max(0, reserved.inMs);
    // Calls that are held up would arrive in a bunch.
    return { kind: "reserved", inMs, sendByMs: startedMs + inMs + limit.perSeconds * 1_000 * LATE };
  }
  const [row] = await tx
    .select({
      ms: msFromNow(
        sql`greatest(${tokenBudgets.paidUntil} - ${ms(aheadMs + waitMsMax)}, ${tokenBudgets.blockedUntil})`,
      ),
    })
    .from(tokenBudgets)
    .where(ofApp(app));
  return { kind: "later", ms: Math.max(1, row?.ms ?? 1) };
}

export async function isPaused(tx: Tx, app: AppOf): Promise<boolean> {
  const [row] = await tx
    .select({ paused: sql<boolean>`coalesce(${tokenBudgets.blockedUntil} > clock_timestamp(), false)` })
    .from(tokenBudgets)
    .where(ofApp(app));
  return row?.paused === true;
}

/** The endpoint answered, whatever it said: it is up. */
export async function noteAnswer(tx: Tx, app: AppOf): Promise<void> {
  await tx
    .update(tokenBudgets)
    .set({ failures: 0, blockedUntil: null })
    .where(and(ofApp(app), gt(tokenBudgets.failures, 0)));
}

/** Nobody knows what the endpoint did. */
export async function noteSilence(tx: Tx, app: AppOf): Promise<void> {
  const failures = sql`${tokenBudgets.failures} + 1`;
  const pauseMs = sql`least(${PAUSE_MS} * 2 ^ least(${failures} - ${FAILURES_MAX}, 10), ${PAUSE_MS_MAX})`;
  await tx
    .update(tokenBudgets)
    .set({
      failures,
      blockedUntil: sql`case when ${failures} >= ${FAILURES_MAX}
        then clock_timestamp() + make_interval(secs => (${pauseMs}) / 1000.0) else ${tokenBudgets.blockedUntil} end`,
    })
    .where(ofApp(app));
}

/** The endpoint asked for a pause: of everybody, since it counts by app. */
export async function notePause(tx: Tx, app: AppOf, pauseMs: number): Promise<void> {
  const until = sql`clock_timestamp() + ${ms(Math.min(pauseMs, RETRY_AFTER_MS_MAX))}`;
  await tx
    .update(tokenBudgets)
    .set({ blockedUntil: sql`greatest(${tokenBudgets.blockedUntil}, ${until})` })
    .where(ofApp(app));
}

/** In any window of the limit's length at most `requests * (1 - HEADROOM)` calls. */
export function paceOf({ requests, perSeconds }: TokenLimit): { readonly stepMs: number; readonly aheadMs: number } {
  const burst = Math.max(1, Math.floor(requests * BURST));
  const steady = Math.max(requests * (1 - HEADROOM) - burst, requests * HEADROOM);
  const stepMs = (perSeconds * 1_000) / steady;
  return { stepMs, aheadMs: (burst - 1) * stepMs };
}

function ms(value: number) {
  return sql`make_interval(secs => ${value / 1_000}::float8)`;
}

function msFromNow(instant: ReturnType<typeof sql>) {
  return sql<number>`extract(epoch from (${instant}) - clock_timestamp()) * 1000`.mapWith(Number);
}

function appOf({ workspaceId, providerAppId }: AppOf) {
  return { workspaceId, providerAppId };
}

function ofApp({ workspaceId, providerAppId }: AppOf) {
  return and(eq(tokenBudgets.workspaceId, workspaceId), eq(tokenBudgets.providerAppId, providerAppId));
}
