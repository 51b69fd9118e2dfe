import type { ConnectionId, ModelName, TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { AccountIdentity } from "../../connectors/kit/index.ts";
import {
  CREDENTIAL_CAUSES,
  changeHealth,
  changeStatus,
  findByAccount,
  grants,
  insertConnection,
  lockConnection,
  type ConnectionRow,
} from "../../domain/connections/index.ts";
import type { Sealer } from "../../domain/vault/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { ConnectDeps } from "./deps.ts";

/** A grant whose credentials were proved, and the account that they open. */
export interface Attachment extends Pick<
  ConnectionRow,
  | "grantId"
  | "accountId"
  | "accountName"
  | "accountUrl"
  | "accountAliases"
  | "accountCurrency"
  | "grantedScopes"
  | "params"
> {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: TenantUid;
  readonly provider: string;
  readonly mode: "live" | "test";
  /** Of a connection that is made; one that is repaired keeps its own. */
  readonly models: readonly ModelName[];
  /** Repairs this connection. */
  readonly connectionId?: ConnectionId | null;
  readonly allowAccountChange?: boolean;
  /** Takes a working connection to the account as it is, where a person would be told that there is one. */
  readonly renews?: boolean;
}

export type Attached =
  | {
      readonly connection: ConnectionRow;
      /** It ended, since the repair came back with another account. Its traces are to be cleared after the commit. */
      readonly replaced: ConnectionRow | null;
    }
  | "already_connected"
  | "account_mismatch"
  | "authorization_expired";

/** What a proving call told of the account. */
export function attachmentOf(account: AccountIdentity) {
  return {
    accountId: account.accountId,
    accountName: account.name,
    accountUrl: account.url,
    accountAliases: [...account.aliases],
    accountCurrency: null,
    grantedScopes: [...account.grantedScopes],
  };
}

/**
 * Makes or repairs a connection on a grant, active, in the caller's transaction. The grant is locked first: whoever
 * gives grants back locks it too, and two that come for one account come one after the other.
 *
 * A connection never changes its account, since records are kept by it: a repair that comes back with another one, where
 * allowed, ends the connection and makes its successor.
 *
 * @param sealer of the tenant's `payload` key
 */
export async function attachGrant(tx: Tx, deps: ConnectDeps, sealer: Sealer, of: Attachment): Promise<Attached> {
  const { workspaceId, connectionId = null, allowAccountChange = false, renews = false } = of;
  const [grant] = await tx
    .select({ state: grants.state, handedOverAt: grants.handedOverAt })
    .from(grants)
    .where(and(eq(grants.workspaceId, workspaceId), eq(grants.id, of.grantId)))
    .for("no key update");
  if (grant === undefined || grant.state === "ended") return "authorization_expired";
  // A handover looks for connections that share the grant, and cannot see who is about to become one.
  if (grant.handedOverAt !== null) return "authorization_expired";
  const repaired = connectionId === null ? null : await lockConnection(tx, workspaceId, connectionId);
  if (repaired !== null && repaired.endedAt !== null) return "authorization_expired";
  if (repaired?.accountId === of.accountId) {
    return { connection: await repair(tx, deps, sealer, repaired, of), replaced: null };
  }
  if (repaired !== null && !allowAccountChange) return "account_mismatch";

  const existing = await findByAccount(tx, of);
  const works = existing?.status === "active" || existing?.status === "paused";
  if (works && !renews) return "already_connected";
  const replaced = repaired === null ? null : await end(tx, deps, sealer, repaired);
  const models = [...(repaired?.models ?? of.models)];
  const connection =
    existing === null ? await make(tx, deps, sealer, { ...of, models }) : await repair(tx, deps, sealer, existing, of);
  return { connection, replaced };
}

async function make(
  tx: Tx,
  deps: ConnectDeps,
  sealer: Sealer,
  of: Attachment & Pick<ConnectionRow, "models">,
): Promise<ConnectionRow> {
  const { workspaceId, tenantUid, provider, mode, accountId, models } = of;
  const connection = await insertConnection(
    tx,
    { ...deps, sealer },
    { ...factsOf(of), workspaceId, tenantUid, provider, mode, accountId, models },
  );
  await deps.onActivated(tx, connection);
  return connection;
}

async function repair(
  tx: Tx,
  deps: ConnectDeps,
  sealer: Sealer,
  before: ConnectionRow,
  of: Attachment,
): Promise<ConnectionRow> {
  const { workspaceId, id: connectionId } = before;
  const facts = factsOf(of);
  const { connection, changed } = await changeStatus(
    tx,
    { ...deps, sealer },
    { workspaceId, connectionId, event: "reauthorized", facts },
  );
  if (!changed) {
    await changeHealth(tx, { ...deps, sealer }, { workspaceId, connectionId, clear: CREDENTIAL_CAUSES });
  }
  if (changed || before.grantId !== of.grantId || before.health === "degraded") await deps.onActivated(tx, connection);
  return changed ? connection : lockConnection(tx, workspaceId, connectionId);
}

async function end(tx: Tx, deps: ConnectDeps, sealer: Sealer, row: ConnectionRow): Promise<ConnectionRow> {
  const { workspaceId, id: connectionId } = row;
  const { connection } = await changeStatus(
    tx,
    { ...deps, sealer },
    { workspaceId, connectionId, event: "disconnect", reason: "account_changed" },
  );
  await deps.onEnded(tx, connection);
  return connection;
}

function factsOf(of: Attachment) {
  const { grantId, accountName, accountUrl, accountAliases, accountCurrency, grantedScopes, params } = of;
  return { grantId, accountName, accountUrl, accountAliases, accountCurrency, grantedScopes, params };
}
