import type { ConnectionId } from "@patchbay/shared";
import type { Tx } from "../../platform/db/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import type { Sealer } from "../vault/index.ts";
import { announce } from "./announce.ts";
import type { ConnectionRow } from "./load-connection.ts";
import { connections } from "./tables.ts";

export type NewConnection = Pick<
  ConnectionRow,
  | "workspaceId"
  | "tenantUid"
  | "grantId"
  | "provider"
  | "accountId"
  | "accountName"
  | "accountUrl"
  | "accountAliases"
  | "accountCurrency"
  | "mode"
  | "models"
  | "grantedScopes"
  | "params"
>;

/**
 * Makes a connection that is active from the start: its browser proved itself before. The host is told by
 * `connection.activated`; poke `events` after the commit.
 *
 * @param deps.sealer of the tenant's `payload` key
 */
export async function insertConnection(
  tx: Tx,
  deps: { readonly clock: Clock; readonly sealer: Sealer },
  input: NewConnection,
): Promise<ConnectionRow> {
  const now = deps.clock.now();
  const [row] = await tx
    .insert(connections)
    .values({
      ...input,
      id: newId<ConnectionId>(),
      status: "active",
      health: "ok",
      createdAt: now,
      activatedAt: now,
      updatedAt: now,
    })
    .returning();
  if (row === undefined) throw new Error("the connection was not written");
  await announce(tx, deps, row, "connection.activated");
  return row;
}
