import type { Random } from "../../platform/runtime/index.ts";
import type { TokenSet } from "./oauth-client.ts";
import type { RefreshTimings } from "./refresh-timings.ts";
import type { DerivedToken, TokenPair } from "./token-pair.ts";

/** Share of its life after which an access token is refreshed; early, so that a lost answer leaves time. */
const REFRESH_AT = 0.8;
/** Share of its life after which a refresh token that nobody used is. */
const KEEP_ALIVE_AT = 2 / 3;
/** Spreads connections that were made in the same minute. */
const JITTER = 0.1;

/** @returns between 72 % and 88 % of the life; its end when nothing can refresh it; `null`: the token does not expire */
export function refreshInstant(issuedAt: Date, pair: TokenPair | DerivedToken, random: Random): Date | null {
  const renewable = pair.kind === "derived" || pair.refreshToken !== null;
  if (pair.accessExpiresAt === null || !renewable) return pair.accessExpiresAt;
  const lifeMs = pair.accessExpiresAt.getTime() - issuedAt.getTime();
  const share = REFRESH_AT * (1 + (random() * 2 - 1) * JITTER);
  return new Date(issuedAt.getTime() + lifeMs * share);
}

/** @returns between 60 % and 73 % of the refresh token's life, so that an idle grant has the rest for trouble */
export function keepAliveInstant(issuedAt: Date, pair: TokenPair | DerivedToken, random: Random): Date | null {
  if (pair.kind === "derived" || pair.refreshToken === null || pair.refreshExpiresAt === null) return null;
  const lifeMs = pair.refreshExpiresAt.getTime() - issuedAt.getTime();
  const share = KEEP_ALIVE_AT * (1 + (random() * 2 - 1) * JITTER);
  return new Date(issuedAt.getTime() + lifeMs * share);
}

/** @param failures in a row, this one included @returns milliseconds, spread by a fifth */
export function retryDelayMs(failures: number, timings: RefreshTimings, random: Random): number {
  const plainMs = Math.min(timings.retryMs * 2 ** Math.min(failures - 1, 20), timings.retryMsMax);
  return Math.round(plainMs * (1 + (random() * 2 - 1) * 0.2));
}

/**
 * @param issuedAt before the request was sent: the provider counts from a moment after it
 * @param idleDays of the provider's policy, for answers that do not tell when the refresh token ends
 */
export function toPair(tokens: TokenSet, issuedAt: Date, former: TokenPair | null, idleDays: number | null): TokenPair {
  const after = (seconds: number | null) => (seconds === null ? null : new Date(issuedAt.getTime() + seconds * 1000));
  // A provider that does not rotate gives no refresh token back: the one at hand stays good.
  const kept = tokens.refreshToken === null ? former : null;
  const refreshToken = tokens.refreshToken ?? kept?.refreshToken ?? null;
  const idleSeconds = refreshToken === null || idleDays === null ? null : idleDays * 86_400;
  return {
    kind: "tokens",
    accessToken: tokens.accessToken,
    refreshToken,
    accessExpiresAt: after(tokens.expiresInSeconds),
    refreshExpiresAt: after(tokens.refreshExpiresInSeconds) ?? kept?.refreshExpiresAt ?? after(idleSeconds),
  };
}
