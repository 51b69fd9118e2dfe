import { createHmac } from "node:crypto";
import { z } from "zod";
import type { AppRegistration, ShopState, World } from "../world.ts";
import { sameSecret } from "./hmac.ts";
import { compact, parseScopes } from "./scopes.ts";
import { dayToken, expiringPair, install, offlineToken, onlineToken, refreshPair, type TokenAnswer } from "./tokens.ts";

const CODE_LIFETIME_MS = 10 * 60_000;
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const OFFLINE_TYPE = "urn:shopify:params:oauth:token-type:offline-access-token";
const ONLINE_TYPE = "urn:shopify:params:oauth:token-type:online-access-token";
const ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token";

const text = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]).optional();

export const TokenRequest = z.looseObject({
  client_id: text,
  client_secret: text,
  code: text,
  expiring: text,
  grant_type: text,
  refresh_token: text,
  subject_token: text,
  subject_token_type: text,
  requested_token_type: text,
  scope: text,
});
type TokenRequest = z.infer<typeof TokenRequest>;

export interface GrantResult {
  readonly status: 200 | 400 | 401;
  readonly body: TokenAnswer;
}

/** Answers `POST /admin/oauth/access_token`. */
export function grant(world: World, shop: ShopState, request: TokenRequest): GrantResult {
  const app = world.state.apps.get(request.client_id ?? "");
  if (!app || !sameSecret(app.clientSecret, request.client_secret ?? "")) {
    return refuse(400, "invalid_client", "Could not find a matching client with the given client id and secret");
  }
  switch (request.grant_type) {
    case undefined:
    case "authorization_code":
      return byCode(world, shop, app, request);
    case "refresh_token":
      return byRefreshToken(world, shop, app, request);
    case "client_credentials":
      return byClientCredentials(world, shop, app, request);
    case TOKEN_EXCHANGE:
      return byExchange(world, shop, app, request);
    default:
      return refuse(400, "unsupported_grant_type", "The grant type is not supported");
  }
}

function byCode(world: World, shop: ShopState, app: AppRegistration, request: TokenRequest): GrantResult {
  const code = shop.codes.get(request.code ?? "");
  const age = code ? world.clock.now().getTime() - code.issuedAt.getTime() : 0;
  if (!code || code.used || code.clientId !== app.clientId || age > CODE_LIFETIME_MS) {
    return refuse(400, "invalid_request", "The authorization code was not found or was already used");
  }
  code.used = true;
  const into = install(world, shop, app.clientId, code.scopes);
  if (code.online) return answer(onlineToken(world, shop, into));
  return answer(asksExpiring(request) ? expiringPair(world, into) : offlineToken(into));
}

function byRefreshToken(world: World, shop: ShopState, app: AppRegistration, request: TokenRequest): GrantResult {
  const into = shop.installs.get(app.clientId);
  const pair = into && refreshPair(world, into, request.refresh_token ?? "");
  return pair ? answer(pair) : refuse(401, "invalid_request", "This request requires an active refresh_token");
}

function byClientCredentials(world: World, shop: ShopState, app: AppRegistration, request: TokenRequest): GrantResult {
  const { domain } = shop.catalog.profile;
  if (app.ownShops && !app.ownShops.includes(domain)) {
    return refuse(400, "shop_not_permitted", "Client credentials cannot be performed on this shop.");
  }
  const asked = parseScopes(request.scope ?? "");
  const scopes = shop.installs.get(app.clientId)?.scopes ?? (asked.length > 0 ? asked : DEFAULT_SCOPES);
  return answer(dayToken(world, install(world, shop, app.clientId, compact(scopes))));
}

function byExchange(world: World, shop: ShopState, app: AppRegistration, request: TokenRequest): GrantResult {
  if (request.subject_token_type === OFFLINE_TYPE) return migrate(world, shop, app, request);
  if (
    request.subject_token_type !== ID_TOKEN_TYPE ||
    !goodSessionToken(world, shop, app, request.subject_token ?? "")
  ) {
    return refuse(400, "invalid_subject_token", "The subject token is invalid or has expired");
  }
  const into = install(world, shop, app.clientId, shop.installs.get(app.clientId)?.scopes ?? DEFAULT_SCOPES);
  if (request.requested_token_type === ONLINE_TYPE) return answer(onlineToken(world, shop, into));
  return answer(asksExpiring(request) ? expiringPair(world, into) : offlineToken(into));
}

/** Turns a non-expiring offline token into an expiring pair; the old token is dead from then on. */
function migrate(world: World, shop: ShopState, app: AppRegistration, request: TokenRequest): GrantResult {
  const into = shop.installs.get(app.clientId);
  const old = into?.accessTokens.find((token) => token.value === request.subject_token && token.expiresAt === null);
  if (!into || !old || !asksExpiring(request)) {
    return refuse(400, "invalid_subject_token", "The subject token is invalid or has expired");
  }
  into.accessTokens = into.accessTokens.filter((token) => token !== old);
  return answer(expiringPair(world, into));
}

const SessionClaims = z.looseObject({ aud: z.string(), dest: z.string(), exp: z.number() });

function goodSessionToken(world: World, shop: ShopState, app: AppRegistration, jwt: string): boolean {
  const [header, payload, signature] = jwt.split(".");
  if (!header || !payload || !signature) return false;
  const expected = createHmac("sha256", app.clientSecret).update(`${header}.${payload}`).digest("base64url");
  if (!sameSecret(expected, signature)) return false;
  const claims = SessionClaims.safeParse(parse(Buffer.from(payload, "base64url").toString("utf8")));
  if (!claims.success) return false;
  const { aud, dest, exp } = claims.data;
  return (
    aud === app.clientId &&
    dest === `https://${shop.catalog.profile.domain}` &&
    exp * 1000 > world.clock.now().getTime()
  );
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

const DEFAULT_SCOPES = ["read_customers", "read_inventory", "read_locations", "read_orders", "read_products"];

function asksExpiring(request: TokenRequest): boolean {
  return request.expiring === "1" || request.expiring === "true";
}

function answer(body: TokenAnswer): GrantResult {
  return { status: 200, body };
}

function refuse(status: 400 | 401, error: string, description: string): GrantResult {
  return { status, body: { error, error_description: description } };
}
