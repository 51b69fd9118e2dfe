import type { ConnectionId } from "@patchbay/shared";
import { createHash } from "node:crypto";

/**
 * What an element that could not be routed waits for: its source's connection, or any of the account that it names.
 *
 * A hash, so that what is parked names no account: rows of an erased tenant's accounts tell nothing.
 *
 * @returns `null`: nothing that may come
 */
export function waitingFor(
  source: { readonly provider: string; readonly connectionId: ConnectionId | null },
  accountKey: string | null,
): Buffer | null {
  if (source.connectionId !== null) return connectionWaiter(source.connectionId);
  return accountKey === null ? null : hash("account", source.provider, accountKey);
}

/** All that elements which wait for this connection may have noted down. */
export function waitersOf(connection: {
  readonly id: ConnectionId;
  readonly provider: string;
  readonly accountId: string;
  readonly accountAliases: readonly string[];
}): readonly Buffer[] {
  const accounts = [connection.accountId, ...connection.accountAliases];
  return [connectionWaiter(connection.id), ...accounts.map((account) => hash("account", connection.provider, account))];
}

/** What came to a connection's own address while it did not work waits for it alone. */
export function connectionWaiter(id: ConnectionId): Buffer {
  return hash("connection", id);
}

function hash(...parts: readonly string[]): Buffer {
  return createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, 16);
}
