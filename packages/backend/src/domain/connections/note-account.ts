import type { ConnectionStatus, EventType } from "@patchbay/shared";
import { missingScopes, type AccountIdentity, type Connector } from "../../connectors/kit/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Sealer } from "../vault/index.ts";
import { changeHealth } from "./change-health.ts";
import { lockConnection, type ConnectionRow } from "./load-connection.ts";

export interface NotedAccount {
  /** Scopes that the connection's models need and that are not granted. */
  readonly missing: readonly string[];
  /** All scopes are granted again: what could not be read or subscribed can be now. */
  readonly regained: boolean;
  readonly status: ConnectionStatus;
  /** Poke `events` after the commit. */
  readonly announced: EventType | null;
}

/**
 * Keeps what the provider just told of the connection's own account, in the caller's transaction: name, aliases, and
 * what is granted, with what follows for health. A provider that does not tell scopes leaves them as they were.
 *
 * @param deps.sealer of the tenant's `payload` key
 * @throws AppError `connection_not_found`
 */
export async function noteAccount(
  tx: Tx,
  deps: { readonly clock: Clock; readonly sealer: Sealer },
  of: Pick<ConnectionRow, "workspaceId" | "id">,
  connector: Connector,
  account: AccountIdentity,
): Promise<NotedAccount> {
  const row = await lockConnection(tx, of.workspaceId, of.id);
  const told = account.grantedScopes.length > 0;
  const missing = told ? missingScopes(connector, account.grantedScopes, row.models) : [];
  const announced = await changeHealth(tx, deps, {
    workspaceId: row.workspaceId,
    connectionId: row.id,
    facts: {
      accountName: account.name,
      accountUrl: account.url,
      accountAliases: [...account.aliases],
      ...(told ? { grantedScopes: [...account.grantedScopes] } : {}),
    },
    add: missing.length > 0 ? ["missing_scopes"] : [],
    // Not `access_refused`: that the account is told does not mean that its objects are.
    clear: ["account_suspended", ...(told ? (["missing_scopes"] as const) : [])],
  });
  const regained = told && missing.length === 0 && row.healthCauses.includes("missing_scopes");
  return { missing, regained, status: row.status, announced };
}
