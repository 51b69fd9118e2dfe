import type { GrantId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { missingScopes, type AccountIdentity, type CallbackProblem } from "../../connectors/kit/index.ts";
import { findByAccount, grantRevived, loadConnection } from "../../domain/connections/index.ts";
import { Secret, randomToken } from "../../platform/runtime/index.ts";
import type { TokenOutcome, TokenSet } from "../credentials/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { identify } from "./identify.ts";
import { hintOf, ofAuthorization, type AuthorizationRow } from "./load-authorization.ts";
import { SECRET_BYTES, hashOf } from "./opaque.ts";
import { partyFor, pkcePlace, redirectUri } from "./open-ticket.ts";
import { authorizations } from "./tables.ts";

export type ExchangeOutcome =
  /** Tokens are sealed; `completionCode` goes to the browser that consented and nowhere else. */
  | { readonly ok: true; readonly completionCode: string }
  | { readonly ok: false; readonly error: string; readonly facts?: Partial<AuthorizationRow> };

const DEADLINE_MS = 15_000;

/** From the provider's answer to sealed tokens, or to the reason why not. The state was consumed before. */
export async function exchange(
  deps: ConnectDeps,
  row: AuthorizationRow,
  query: URLSearchParams,
): Promise<ExchangeOutcome> {
  const denied = query.get("error");
  if (denied !== null) return { ok: false, error: denied === "access_denied" ? "access_denied" : "unknown" };
  const party = await partyFor(deps, row);
  const { auth, connector } = party;
  const problem = auth.verifyCallback({
    query,
    params: row.params,
    clientSecret: party.clientSecret.reveal(),
    now: deps.clock.now(),
  });
  if (problem !== null) return { ok: false, error: errorOfCallback(deps, row, problem) };
  const issuedAt = deps.clock.now();
  const outcome = await deps.credentials.oauth.exchange(party, {
    redirectUri: redirectUri(deps.publicUrl, row.provider),
    query,
    pkceVerifier: await openPkce(deps, row),
    deadlineMs: DEADLINE_MS,
  });
  if (!outcome.ok) return { ok: false, error: errorOfTokens(deps, row, outcome) };
  const identity = await identify(deps, { ...party, owner: row.id }, { token: outcome.tokens.accessToken });
  if ("problem" in identity) return { ok: false, error: "provider_unavailable" };
  const granted = identity.grantedScopes.length > 0 ? identity.grantedScopes : outcome.tokens.scopes;
  const account = { ...identity, grantedScopes: granted };
  const grantId = await keepTokens(deps, row, party, account, outcome.tokens, issuedAt);
  const facts = factsOf(account, grantId);
  const missing = missingScopes(connector, granted, row.models);
  if (missing.length > 0) {
    return { ok: false, error: "missing_scopes", facts: { ...facts, missingScopes: [...missing] } };
  }
  const obstacle = await obstacleOf(deps, row, party.mode, identity.accountId);
  if (obstacle !== null) return { ok: false, error: obstacle, facts };
  return awaitProof(deps, row, facts);
}

/**
 * Sealed first, whatever is found wrong afterwards: the provider may have invalidated the tokens that a live grant of
 * this account had. A grant that nobody comes to use is given back by the sweep.
 */
async function keepTokens(
  deps: ConnectDeps,
  row: AuthorizationRow,
  party: Awaited<ReturnType<typeof partyFor>>,
  account: AccountIdentity,
  tokens: TokenSet,
  issuedAt: Date,
): Promise<GrantId> {
  const { grantId, isNew } = await deps.credentials.storeGrant({
    workspaceId: row.workspaceId,
    provider: row.provider,
    providerAppId: party.app.id,
    accountId: account.accountId,
    mode: party.mode,
    params: row.params,
    scopes: account.grantedScopes,
    tokens,
    issuedAt,
  });
  if (!isNew) await grantRevived(deps, { workspaceId: row.workspaceId, grantId });
  return grantId;
}

function factsOf(account: AccountIdentity, grantId: GrantId): Partial<AuthorizationRow> {
  return {
    grantId,
    accountId: account.accountId,
    accountName: account.name,
    accountUrl: account.url,
    accountAliases: [...account.aliases],
    accountTestMode: account.testMode,
    grantedScopes: [...account.grantedScopes],
  };
}

/** A repair must lead to the same account, unless it may change; else to one that the tenant does not have yet. */
async function obstacleOf(
  deps: ConnectDeps,
  row: AuthorizationRow,
  mode: "live" | "test",
  accountId: string,
): Promise<"account_mismatch" | "already_connected" | null> {
  const { workspaceId, tenantUid, provider, connectionId, allowAccountChange } = row;
  return deps.withTenant(workspaceId, tenantUid, async (tx) => {
    if (connectionId !== null) {
      const repaired = await loadConnection(tx, workspaceId, connectionId);
      if (repaired.accountId === accountId) return null;
      if (!allowAccountChange) return "account_mismatch";
    }
    const existing = await findByAccount(tx, { workspaceId, tenantUid, provider, accountId, mode });
    return existing?.status === "active" || existing?.status === "paused" ? "already_connected" : null;
  });
}

async function awaitProof(
  deps: ConnectDeps,
  row: AuthorizationRow,
  facts: Partial<AuthorizationRow>,
): Promise<ExchangeOutcome> {
  const completionCode = randomToken(SECRET_BYTES);
  const rows = await deps.withTenant(row.workspaceId, row.tenantUid, (tx) =>
    tx
      .update(authorizations)
      .set({ ...facts, status: "exchanged", completionCodeHash: hashOf(completionCode), pkceVerifier: null })
      .where(and(ofAuthorization(hintOf(row)), eq(authorizations.status, "started")))
      .returning({ id: authorizations.id }),
  );
  // Canceled or expired while the provider was asked.
  return rows.length === 1 ? { ok: true, completionCode } : { ok: false, error: "authorization_expired" };
}

async function openPkce(deps: ConnectDeps, row: AuthorizationRow): Promise<Secret | null> {
  if (row.pkceVerifier === null) return null;
  return new Secret(Buffer.from(await deps.vault.open(row.workspaceId, pkcePlace(row), row.pkceVerifier)).toString());
}

function errorOfCallback(deps: ConnectDeps, row: AuthorizationRow, problem: CallbackProblem): string {
  deps.log.warn({ workspaceId: row.workspaceId, authorizationId: row.id, problem }, "callback refused");
  return problem === "wrong_account" ? "account_mismatch" : "unknown";
}

function errorOfTokens(
  deps: ConnectDeps,
  row: AuthorizationRow,
  outcome: TokenOutcome & { readonly ok: false },
): string {
  const { problem } = outcome;
  deps.log.warn({ workspaceId: row.workspaceId, authorizationId: row.id, problem }, "code not exchanged");
  return problem === "unavailable" ? "provider_unavailable" : "invalid_credentials";
}
