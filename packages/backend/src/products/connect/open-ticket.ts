import { AppError, type ModelName } from "@patchbay/shared";
import { and, eq, inArray } from "drizzle-orm";
import { oauth2Of, scopesFor } from "../../connectors/kit/index.ts";
import { LIVE_STATUSES, connections } from "../../domain/connections/index.ts";
import { getProviderApp, getWorkspace } from "../../domain/workspaces/index.ts";
import type { DataKeySpec, Place } from "../../domain/vault/index.ts";
import { NIL_UUID } from "../../platform/db/index.ts";
import { randomToken } from "../../platform/runtime/index.ts";
import { browserCookie, type BrowserCookie } from "./browser-cookie.ts";
import type { ConnectDeps } from "./deps.ts";
import { findAuthorization, hintOf, isOpen, ofAuthorization, type AuthorizationRow } from "./load-authorization.ts";
import { SECRET_BYTES, hashOf, hintText, matchesHash, readOpaque } from "./opaque.ts";
import { authorizations } from "./tables.ts";
import { withinTenant } from "./tenant-scope.ts";

export interface OpenedTicket {
  /** The provider's consent page. */
  readonly redirectTo: string;
  readonly cookie: BrowserCookie;
}

/**
 * Sends a browser to the provider, once per ticket, and marks it, so that only the same browser can come back.
 *
 * @throws AppError `authorization_not_found`, `authorization_used`, `authorization_expired`
 */
export async function openTicket(deps: ConnectDeps, ticket: string): Promise<OpenedTicket> {
  const row = await checkTicket(deps, ticket);
  const party = await partyFor(deps, row);
  const front = deps.credentials.oauth.start(party, {
    redirectUri: redirectUri(deps.publicUrl, row.provider),
    scopes: scopesFor(party.connector, [...row.models, ...(await modelsOfSharers(deps, row))]),
    stateHint: hintText(hintOf(row)),
  });
  const nonce = randomToken(SECRET_BYTES);
  const sealer = await deps.vault.sealer(pkceKey(row));
  const verifier = front.pkceVerifier?.reveal();
  const [burnt] = await deps.withTenant(row.workspaceId, row.tenantUid, (tx) =>
    tx
      .update(authorizations)
      .set({
        status: "started",
        ticketHash: null,
        stateHash: hashOf(front.state.reveal()),
        browserNonceHash: hashOf(nonce),
        pkceVerifier: verifier === undefined ? null : sealer.seal(pkcePlace(row), Buffer.from(verifier)),
      })
      // Of two that come at once, one finds the hash gone.
      .where(
        and(
          ofAuthorization(hintOf(row)),
          eq(authorizations.status, "created"),
          eq(authorizations.ticketHash, hashOf(ticket)),
        ),
      )
      .returning({ id: authorizations.id }),
  );
  if (burnt === undefined) throw used();
  return { redirectTo: front.url, cookie: browserCookie(deps.publicUrl, row.id, nonce) };
}

/** Registered at the provider as it is; never from the request's own host. */
export function redirectUri(publicUrl: string, provider: string): string {
  return `${publicUrl}/oauth/callback/${provider}`;
}

/** The provider app that asks for an authorization. @throws AppError `provider_app_missing` when it is gone */
export async function partyFor(deps: ConnectDeps, row: AuthorizationRow) {
  const connector = deps.connectors[row.provider];
  const app = await getProviderApp(withinTenant(deps, row), { workspaceId: row.workspaceId, provider: row.provider });
  if (connector === undefined || app === null) {
    throw new AppError("provider_app_missing", "the provider app of this authorization is gone");
  }
  const auth = oauth2Of(connector);
  if (auth === null) throw new AppError("provider_not_found", `${connector.name} is not connected through a browser`);
  const { mode, name } = await getWorkspace(withinTenant(deps, row), row.workspaceId);
  const { clientId, clientSecret, keys, baseUrlOverride } = app;
  return {
    connector,
    auth,
    params: row.params,
    clientId,
    clientSecret,
    keys,
    baseUrlOverride,
    mode,
    app,
    hostName: name,
  };
}

export function pkceKey(row: AuthorizationRow): DataKeySpec {
  return { workspaceId: row.workspaceId, tenantUid: NIL_UUID, purpose: "secret" };
}

export function pkcePlace(row: AuthorizationRow): Place {
  return { table: "authorizations", rowId: row.id, column: "pkce_verifier", rowVersion: 1 };
}

async function checkTicket(deps: ConnectDeps, ticket: string): Promise<AuthorizationRow> {
  const hint = readOpaque(ticket);
  const row = hint === null ? null : await deps.withWorkspace(hint.workspaceId, (tx) => findAuthorization(tx, hint));
  if (row === null) throw new AppError("authorization_not_found", "no such link");
  if (row.ticketHash === null) throw used();
  if (!matchesHash(ticket, row.ticketHash)) throw new AppError("authorization_not_found", "no such link");
  const now = deps.clock.now();
  if (!isOpen(row, now) || row.ticketExpiresAt === null || row.ticketExpiresAt <= now) {
    throw new AppError("authorization_expired", "this link has expired; start again");
  }
  return row;
}

/**
 * What other connections to the same account read, those of other tenants included: hence the whole workspace. The new
 * tokens take the place of theirs, so they must not be able to do less. Known before the consent only where a parameter
 * names the account.
 */
async function modelsOfSharers(deps: ConnectDeps, row: AuthorizationRow): Promise<readonly ModelName[]> {
  if (Object.keys(row.params).length === 0) return [];
  const sharers = await deps.withWorkspace(row.workspaceId, (tx) =>
    tx
      .select({ models: connections.models })
      .from(connections)
      .where(
        and(
          eq(connections.workspaceId, row.workspaceId),
          eq(connections.provider, row.provider),
          eq(connections.params, row.params),
          inArray(connections.status, [...LIVE_STATUSES]),
        ),
      )
      .limit(SHARERS_MAX),
  );
  return sharers.flatMap((sharer) => sharer.models);
}

/** Connections of one workspace to one account; their models are few in any case. */
const SHARERS_MAX = 1_000;

function used(): AppError {
  return new AppError("authorization_used", "this link was used already; start again");
}
