import { AppError, assertNever, type ConnectionTest } from "@patchbay/shared";
import type { Identity, ProviderFault } from "../../connectors/kit/index.ts";
import { isLive, type ConnectionRow } from "../../domain/connections/index.ts";
import type { ProviderOutcome } from "../provider-client/index.ts";
import { findConnection } from "./connection-verbs.ts";
import type { ConnectDeps } from "./deps.ts";
import type { Who } from "./tenant-scope.ts";

const DEADLINE_MS = 10_000;

/**
 * Asks the provider who we are, now.
 *
 * @throws AppError `connection_not_found`; `connection_not_active` when the connection has ended
 */
export async function testConnection(deps: ConnectDeps, who: Who, id: string): Promise<ConnectionTest> {
  const row = await findConnection(deps, who, id);
  const connector = deps.connectors[row.provider];
  if (!isLive(row.status) || connector === undefined) {
    throw new AppError("connection_not_active", `a connection that is ${row.status} cannot be tested`);
  }
  const startedAt = performance.now();
  const target = { workspaceId: row.workspaceId, grantId: row.grantId };
  const outcome = await deps.client.call(target, connector.identity.request(), {
    priority: "interactive",
    deadlineMs: DEADLINE_MS,
  });
  const latencyMs = Math.round(performance.now() - startedAt);
  if (!outcome.ok) return { ok: false, problem: problemOf(outcome.fault), accountName: null, latencyMs };
  return { ...judge(connector.identity, row, outcome), latencyMs };
}

function judge(
  identity: Identity,
  row: ConnectionRow,
  outcome: ProviderOutcome & { readonly ok: true },
): Omit<ConnectionTest, "latencyMs"> {
  try {
    const account = identity.parse(outcome.response);
    const same = account.accountId === row.accountId;
    return { ok: same, problem: same ? null : "account_mismatch", accountName: account.name };
  } catch {
    // An answer that the connector does not understand is the provider's trouble, not the caller's.
    return { ok: false, problem: "provider_error", accountName: null };
  }
}

function problemOf(fault: ProviderFault): string {
  switch (fault.kind) {
    case "reauthorize":
      return "reauthorization_required";
    case "missing_scope":
      return "missing_scopes";
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
