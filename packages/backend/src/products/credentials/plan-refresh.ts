import type { Random } from "../../platform/runtime/index.ts";
import type { TokenSet } from "./oauth-client.ts";
import type { DerivedToken, TokenPair } from "./token-pair.ts";

/** Share of its life after which an access token is refreshed; early, so that a lost answer leaves time. */
const REFRESH_AT = 0.8;
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

/** @param issuedAt before the request was sent: the provider counts from a moment after it */
export function toPair(tokens: TokenSet, issuedAt: Date, former: TokenPair | null): TokenPair {
  const after = (seconds: number | null) => (seconds === null ? null : new Date(issuedAt.getTime() + seconds * 1000));
  // A provider that does not rotate gives no refresh token back: the one at hand stays good.
  const kept = tokens.refreshToken === null ? former : null;
  return {
    kind: "tokens",
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken ?? kept?.refreshToken ?? null,
    accessExpiresAt: after(tokens.expiresInSeconds),
    refreshExpiresAt: after(tokens.refreshExpiresInSeconds) ?? kept?.refreshExpiresAt ?? null,
  };
}
