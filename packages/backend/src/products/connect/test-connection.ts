import { AppError, assertNever, type ConnectionTest } from "@patchbay/shared";
import type { AccountIdentity, Connector, Identity, ProviderFault } from "../../connectors/kit/index.ts";
import { isLive, noteAccount, type ConnectionRow } from "../../domain/connections/index.ts";
import type { ProviderOutcome } from "../provider-client/index.ts";
import { findConnection } from "./connection-verbs.ts";
import type { ConnectDeps } from "./deps.ts";
import { HANDED_OVER } from "./handed-over.ts";
import { asCaller, type Who } from "./tenant-scope.ts";

const DEADLINE_MS = 10_000;

/**
 * Asks the provider who we are and what we may, now.
 *
 * @throws AppError `connection_not_found`; `connection_not_active` when the connection has ended
 */
export async function testConnection(deps: ConnectDeps, who: Who, id: string): Promise<ConnectionTest> {
  const row = await findConnection(deps, who, id);
  const connector = deps.connectors[row.provider];
  if (!isLive(row.status) || connector === undefined) {
    throw new AppError("connection_not_active", `a connection that is ${row.status} cannot be tested`);
  }
  if (row.statusReason === HANDED_OVER) return { ...NOTHING, problem: HANDED_OVER, latencyMs: 0 };
  const startedAt = performance.now();
  const target = { workspaceId: row.workspaceId, grantId: row.grantId };
  const outcome = await deps.client.call(target, connector.identity.request(), {
    priority: "interactive",
    deadlineMs: DEADLINE_MS,
  });
  const latencyMs = Math.round(performance.now() - startedAt);
  if (!outcome.ok) return { ...failed(outcome.fault), latencyMs };
  const account = parse(connector.identity, outcome);
  // An answer that the connector does not understand is the provider's trouble, not the caller's.
  if (account === null) return { ...NOTHING, problem: "provider_error", latencyMs };
  const { name: accountName, accountId } = account;
  if (accountId !== row.accountId) return { ...NOTHING, problem: "account_mismatch", accountName, latencyMs };
  const missing = await keep(deps, who, row, connector, account);
  const lacks = missing.length > 0;
  return { ok: !lacks, problem: lacks ? "missing_scopes" : null, missingScopes: missing, accountName, latencyMs };
}

const NOTHING = { ok: false, missingScopes: [], accountName: null } as const;

function parse(identity: Identity, outcome: ProviderOutcome & { readonly ok: true }): AccountIdentity | null {
  try {
    return identity.parse(outcome.response);
  } catch {
    return null;
  }
}

/** What the test found out is known from now on. @returns the scopes that are missing */
async function keep(
  deps: ConnectDeps,
  who: Who,
  row: ConnectionRow,
  connector: Connector,
  account: AccountIdentity,
): Promise<readonly string[]> {
  const { workspaceId, tenantUid } = row;
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const noted = await asCaller(deps, who, async (tx) => {
    const done = await noteAccount(tx, { ...deps, sealer }, row, connector, account);
    if (done.regained && done.status === "active") await deps.onActivated(tx, row);
    return done;
  });
  if (noted.announced !== null) deps.wake.poke("events");
  if (noted.regained) deps.wake.poke("lanes:connection");
  return noted.missing;
}

function failed(fault: ProviderFault): Omit<ConnectionTest, "latencyMs"> {
  const named = fault.kind === "missing_scope" && fault.scope !== null ? [fault.scope] : [];
  return { ...NOTHING, problem: problemOf(fault), missingScopes: named };
}

function problemOf(fault: ProviderFault): string {
  switch (fault.kind) {
    case "reauthorize":
      return "reauthorization_required";
    case "missing_scope":
      return "missing_scopes";
    case "refused":
      return "access_refused";
    case "rate_limited":
      return "rate_limited";
    case "suspended":
      return "account_suspended";
    case "unavailable":
      return "provider_unavailable";
    case "gone":
    case "conflict":
    case "rejected":
    case "too_large":
      return "provider_error";
    default:
      return assertNever(fault);
  }
}
