import {
  AppError,
  encodeId,
  type Connection,
  type ImportConnection,
  type ImportedTokens,
  type WorkspaceId,
} from "@patchbay/shared";
import {
  oauth2Of,
  type AccountIdentity,
  type Connector,
  type OAuth2Auth,
  type ProviderFault,
} from "../../connectors/kit/index.ts";
import { grantRevived } from "../../domain/connections/index.ts";
import { getProviderApp, getWorkspace, tenantRef, type ProviderAppFacts } from "../../domain/workspaces/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import type { GrantTarget, OAuthParty, TokenSet } from "../credentials/index.ts";
import { attachGrant, attachmentOf } from "./attach-grant.ts";
import { connectWithCredentials, modelsOf, refuseMissing, refuseOtherWays } from "./connect-with-credentials.ts";
import { getConnection } from "./connection-verbs.ts";
import type { ConnectDeps } from "./deps.ts";
import { identify } from "./identify.ts";
import { canonicalParameters } from "./resolve-parameters.ts";

/**
 * Takes a connection over from another system: proves its credentials by a live call, and pins the account that they
 * open. Then it is active as after a normal connect. Imported again, it is the same connection; tokens that we hold for
 * the account and that work are kept, since those of the other system may be older.
 *
 * @throws AppError `provider_not_found`, `tenant_not_found`, `provider_app_missing`, `invalid_shop`, `invalid_request`,
 *   `invalid_credentials`, `account_mismatch`, `missing_scopes`, `already_connected` (in another way),
 *   `provider_unavailable`
 */
export async function importConnection(
  deps: ConnectDeps,
  input: { readonly workspaceId: WorkspaceId; readonly body: ImportConnection },
): Promise<Connection> {
  const { workspaceId, body } = input;
  const { tenantId, provider, method = "oauth2", parameters = {}, models, providerAccountId } = body;
  if (method === "oauth2") return importTokens(deps, workspaceId, body);
  const given = { workspaceId, tenantId, provider, method, parameters, fields: body.fields ?? {} };
  return connectWithCredentials(deps, {
    ...given,
    ...(models === undefined ? {} : { models }),
    ...(providerAccountId === undefined ? {} : { accountId: providerAccountId }),
  });
}

async function importTokens(deps: ConnectDeps, workspaceId: WorkspaceId, body: ImportConnection): Promise<Connection> {
  const { connector, auth } = consentMethod(deps, body.provider);
  const [app, { mode }, tenant] = await Promise.all([
    getProviderApp(deps, { workspaceId, provider: connector.id }),
    getWorkspace(deps, workspaceId),
    deps.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id: body.tenantId })),
  ]);
  if (app === null) {
    throw new AppError("provider_app_missing", `register the ${connector.name} app that the tokens belong to first`);
  }
  const params = canonicalParameters(connector, body.parameters ?? {});
  const models = body.models ?? modelsOf(connector);
  const party = { ...app, connector, auth, params, mode };
  const proved = await prove(deps, party, body.tokens ?? {});
  const { account } = proved;
  const of = { workspaceId, tenantUid: tenant.uid, provider: connector.id, mode, params };
  try {
    if (body.providerAccountId !== undefined && body.providerAccountId !== account.accountId) {
      throw new AppError("account_mismatch", "these tokens open another account than providerAccountId");
    }
    refuseMissing(connector, account.grantedScopes, models);
    await refuseOtherWays(deps, of, account, auth);
  } catch (error) {
    throw proved.refreshed && error instanceof AppError ? usedUp(error) : error;
  }
  const grantId = await keepOrStore(deps, of, app, proved);
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: tenant.uid, purpose: "payload" });
  const attached = await deps.withWorkspace(workspaceId, (tx) =>
    attachGrant(tx, deps, sealer, { ...attachmentOf(account), ...of, grantId, models, renews: true }),
  );
  if (typeof attached === "string") {
    throw new AppError("conflict", "the tokens were given back meanwhile; import them again");
  }
  deps.wake.poke("events");
  deps.wake.poke("lanes:connection");
  return getConnection(deps, { workspaceId }, encodeId("conn", attached.connection.id));
}

function consentMethod(
  deps: ConnectDeps,
  provider: string,
): { readonly connector: Connector; readonly auth: OAuth2Auth } {
  const connector = deps.connectors[provider];
  if (connector === undefined) throw new AppError("provider_not_found", "no such provider; see GET /v1/providers");
  const auth = oauth2Of(connector);
  if (auth === null) throw new AppError("invalid_request", `${connector.name} has no OAuth tokens; give its fields`);
  return { connector, auth };
}

interface Proved {
  readonly tokens: TokenSet;
  readonly account: AccountIdentity;
  readonly issuedAt: Date;
  /** The tokens given are used up: nobody else holds what we hold now. */
  readonly refreshed: boolean;
}

const DEADLINE_MS = 10_000;
/** An access token that ends within this time is not tried. */
const EXPIRY_MARGIN_MS = 60_000;
/** How long a token is taken to live whose end nobody told: then it is refreshed, and its end is known. */
const UNKNOWN_LIFE_SECONDS = 300;

/**
 * A working access token is used as it is, so that nothing is used up before all is proved; else the refresh token is,
 * where the provider's tokens can be refreshed at all.
 */
async function prove(deps: ConnectDeps, party: OAuthParty<OAuth2Auth>, given: ImportedTokens): Promise<Proved> {
  const issuedAt = deps.clock.now();
  const live = tokensOf(party, given, issuedAt);
  if (live !== null) {
    const account = await ask(deps, party, live.accessToken);
    if (account !== null) return { tokens: live, account, issuedAt, refreshed: false };
  }
  if (given.refreshToken === undefined || party.auth.refresh.kind === "none") throw refused(party);
  const refreshToken = new Secret(given.refreshToken);
  const outcome = await deps.credentials.oauth.refresh(party, { refreshToken, deadlineMs: DEADLINE_MS });
  if (!outcome.ok) throw errorOf(outcome.problem, party);
  const tokens = { ...outcome.tokens, refreshToken: outcome.tokens.refreshToken ?? refreshToken };
  const account = await ask(deps, party, tokens.accessToken);
  if (account === null) throw refused(party);
  const scopes = account.grantedScopes.length > 0 ? account.grantedScopes : tokens.scopes;
  return { tokens, account: { ...account, grantedScopes: scopes }, issuedAt, refreshed: true };
}

/** `null`: there is no access token to try. */
function tokensOf({ auth }: OAuthParty<OAuth2Auth>, given: ImportedTokens, now: Date): TokenSet | null {
  if (given.accessToken === undefined) return null;
  const lifeMs = given.expiresAt === undefined ? null : Date.parse(given.expiresAt) - now.getTime();
  if (lifeMs !== null && lifeMs < EXPIRY_MARGIN_MS) return null;
  const renewable = given.refreshToken !== undefined && auth.refresh.kind !== "none";
  const refreshLifeMs =
    given.refreshExpiresAt === undefined ? null : Date.parse(given.refreshExpiresAt) - now.getTime();
  return {
    accessToken: new Secret(given.accessToken),
    refreshToken: given.refreshToken === undefined ? null : new Secret(given.refreshToken),
    expiresInSeconds: lifeMs === null ? (renewable ? UNKNOWN_LIFE_SECONDS : null) : lifeMs / 1000,
    refreshExpiresInSeconds: refreshLifeMs === null ? null : Math.max(0, refreshLifeMs / 1000),
    scopes: [],
  };
}

/** `null`: the token is refused. @throws AppError `provider_unavailable` */
async function ask(deps: ConnectDeps, party: OAuthParty<OAuth2Auth>, token: Secret): Promise<AccountIdentity | null> {
  const account = await identify(deps, { ...party, owner: party.clientId }, { token });
  if (!("problem" in account)) return account;
  if (account.problem === "refused") return null;
  throw errorOf("unavailable", party);
}

interface Of {
  readonly workspaceId: WorkspaceId;
  readonly provider: string;
  readonly mode: "live" | "test";
  readonly params: Record<string, string>;
}

/** The grant that the account has, if it works and we learnt nothing newer; else one with the tokens that were proved. */
async function keepOrStore(deps: ConnectDeps, of: Of, app: ProviderAppFacts, proved: Proved) {
  const { account, tokens, issuedAt } = proved;
  const grant = { ...of, providerAppId: app.id, accountId: account.accountId };
  if (!proved.refreshed) {
    const grantId = await deps.credentials.findGrant(grant);
    if (grantId !== null && (await works(deps, { workspaceId: of.workspaceId, grantId }, of.provider))) return grantId;
  }
  const stored = await deps.credentials.storeGrant({ ...grant, scopes: account.grantedScopes, tokens, issuedAt });
  const { grantId, isNew } = stored;
  if (!isNew) await grantRevived(deps, { workspaceId: of.workspaceId, grantId });
  return grantId;
}

/** Faults that say nothing of the credentials: for one of these, working tokens would give way to older ones. */
const TELLS_NOTHING: ReadonlySet<ProviderFault["kind"]> = new Set(["rate_limited", "unavailable"]);

/** @throws AppError `provider_unavailable` when that cannot be told */
async function works(deps: ConnectDeps, target: GrantTarget, provider: string): Promise<boolean> {
  const request = deps.connectors[provider]?.identity.request();
  if (request === undefined) return false;
  const outcome = await deps.client.call(target, request, { priority: "interactive", deadlineMs: DEADLINE_MS });
  if (!outcome.ok && TELLS_NOTHING.has(outcome.fault.kind)) {
    throw new AppError("provider_unavailable", "the credentials that we hold could not be tried; import again");
  }
  return outcome.ok;
}

/** Nothing is kept of a refused import, not even the new pair: whoever imports must know that the old one is gone. */
function usedUp(refusal: AppError): AppError {
  const message = `${refusal.message}; the access token had run out, so the refresh token was used: where it works once, the account must be authorized again`;
  return new AppError(refusal.code, message, { cause: refusal });
}

function refused({ connector }: OAuthParty): AppError {
  return new AppError(
    "invalid_credentials",
    `${connector.name} does not accept these tokens for this account; they must belong to the workspace's own app`,
  );
}

function errorOf(problem: "refused" | "misconfigured" | "unavailable", party: OAuthParty): AppError {
  switch (problem) {
    case "refused":
      return refused(party);
    case "misconfigured":
      return new AppError("provider_app_missing", `${party.connector.name} does not accept the workspace's app`);
    case "unavailable":
      return new AppError("provider_unavailable", `${party.connector.name} could not be asked; try again`);
  }
}
