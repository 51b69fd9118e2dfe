import { randomBytes } from "node:crypto";
import type { AccessToken, Install, RefreshToken, ShopState, World } from "../world.ts";
import { compact } from "./scopes.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ACCESS_SECONDS = 3600;
const DAY_TOKEN_SECONDS = 86_399;
const REFRESH_SECONDS = 7_776_000;
/** After its first use a refresh token still works this long, unless its successor is used. */
const REUSE_MS = 30 * DAY_MS;

export interface TokenAnswer {
  readonly [key: string]: string | number | object;
}

/** Installs the app in the store, or widens an installation to the newly granted scopes. */
export function install(world: World, shop: ShopState, clientId: string, scopes: readonly string[]): Install {
  const existing = shop.installs.get(clientId);
  if (existing) {
    existing.scopes = scopes;
    return existing;
  }
  const id = BigInt(`533${Math.floor(world.dice.next() * 1e9)}`);
  const created: Install = { clientId, id, scopes, accessTokens: [], refreshTokens: [] };
  shop.installs.set(clientId, created);
  return created;
}

/** A non-expiring offline token; the same one again while the scopes are the same. */
export function offlineToken(into: Install): TokenAnswer {
  const same = into.accessTokens.find((t) => t.kind === "offline" && !t.expiresAt && sameScopes(t.scopes, into.scopes));
  const token =
    same ?? remember(into, { value: newToken("shpat_"), kind: "offline", scopes: into.scopes, expiresAt: null });
  return { access_token: token.value, scope: compact(into.scopes).join(",") };
}

/** A fresh pair by a new grant, which ends every earlier refresh token of the installation. */
export function expiringPair(world: World, into: Install): TokenAnswer {
  into.refreshTokens = [];
  return issuePair(world, into, into.scopes, null);
}

/** Null when the refresh token is unknown, used up or too old. */
export function refreshPair(world: World, into: Install, value: string): TokenAnswer | null {
  const now = world.clock.now();
  const token = into.refreshTokens.find((candidate) => candidate.value === value);
  if (!token || token.expiresAt <= now) return null;
  if (token.firstUsedAt && now.getTime() - token.firstUsedAt.getTime() > REUSE_MS) return null;
  token.firstUsedAt ??= now;
  into.refreshTokens = [token];
  return issuePair(world, into, token.scopes, token.value);
}

export function dayToken(world: World, into: Install): TokenAnswer {
  const expiresAt = new Date(world.clock.now().getTime() + DAY_TOKEN_SECONDS * 1000);
  const token = remember(into, { value: newToken("shpat_"), kind: "offline", scopes: into.scopes, expiresAt });
  return { access_token: token.value, scope: compact(into.scopes).join(","), expires_in: DAY_TOKEN_SECONDS };
}

export function onlineToken(world: World, shop: ShopState, into: Install): TokenAnswer {
  const expiresAt = new Date(world.clock.now().getTime() + DAY_TOKEN_SECONDS * 1000);
  const token = remember(into, { value: newToken("shpua_"), kind: "online", scopes: into.scopes, expiresAt });
  const scope = compact(into.scopes).join(",");
  const [first = "Store", ...rest] = shop.catalog.profile.owner.split(" ");
  return {
    access_token: token.value,
    scope,
    expires_in: DAY_TOKEN_SECONDS,
    associated_user_scope: scope,
    associated_user: {
      id: 902_541_635,
      first_name: first,
      last_name: rest.join(" "),
      email: shop.catalog.profile.email,
      account_owner: true,
      locale: "en",
      collaborator: false,
      email_verified: true,
    },
  };
}

/** The installation and token behind an `X-Shopify-Access-Token`, if it is good now. */
export function authenticate(
  world: World,
  shop: ShopState,
  value: string,
): { install: Install; token: AccessToken } | null {
  const now = world.clock.now();
  for (const candidate of shop.installs.values()) {
    const token = candidate.accessTokens.find((held) => held.value === value);
    if (token && (!token.expiresAt || token.expiresAt > now)) return { install: candidate, token };
  }
  return null;
}

/** Makes every token of the store's apps invalid, without uninstalling them. */
export function revokeTokens(shop: ShopState): number {
  let count = 0;
  for (const held of shop.installs.values()) {
    count += held.accessTokens.length;
    held.accessTokens = [];
    held.refreshTokens = [];
  }
  return count;
}

function issuePair(world: World, into: Install, scopes: readonly string[], predecessor: string | null): TokenAnswer {
  const now = world.clock.now().getTime();
  const expiresAt = new Date(now + ACCESS_SECONDS * 1000);
  const token = remember(into, { value: newToken("shpat_"), kind: "offline", scopes, expiresAt });
  const refresh: RefreshToken = {
    value: newToken("shprt_"),
    scopes,
    expiresAt: new Date(now + REFRESH_SECONDS * 1000),
    predecessor,
    firstUsedAt: null,
  };
  into.refreshTokens.push(refresh);
  return {
    access_token: token.value,
    scope: compact(scopes).join(","),
    expires_in: ACCESS_SECONDS,
    refresh_token: refresh.value,
    refresh_token_expires_in: REFRESH_SECONDS,
  };
}

const MAX_TOKENS = 50;

function remember(into: Install, token: AccessToken): AccessToken {
  into.accessTokens = [...into.accessTokens.slice(1 - MAX_TOKENS), token];
  return token;
}

function newToken(prefix: string): string {
  return prefix + randomBytes(16).toString("hex");
}

function sameScopes(a: readonly string[], b: readonly string[]): boolean {
  return compact(a).join() === compact(b).join();
}
