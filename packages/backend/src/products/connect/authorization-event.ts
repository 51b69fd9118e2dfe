import { encodeId, type EventType } from "@patchbay/shared";
import type { NewEvent } from "../../domain/events/index.ts";
import type { ConnectionRow } from "../../domain/connections/index.ts";
import type { AuthorizationRow } from "./load-authorization.ts";

/** What the host is told of an authorization's end. */
export function authorizationEvent(
  row: AuthorizationRow,
  type: Extract<EventType, `authorization.${string}`>,
  facts: {
    readonly tenantExternalId: string;
    readonly mode: "live" | "test";
    readonly occurredAt: Date;
    readonly connection: ConnectionRow | null;
    /** What it took the place of. */
    readonly replaced?: ConnectionRow | null;
  },
): NewEvent {
  const { connection } = facts;
  return {
    workspaceId: row.workspaceId,
    tenantUid: row.tenantUid,
    tenantExternalId: facts.tenantExternalId,
    connection:
      connection === null
        ? null
        : { id: connection.id, provider: connection.provider, accountId: connection.accountId },
    type,
    mode: facts.mode,
    occurredAt: facts.occurredAt,
    data: {
      authorization: {
        id: encodeId("auth", row.id),
        provider: row.provider,
        status: row.status,
        error: row.error,
        endUserId: row.endUserId,
        missingScopes: row.missingScopes,
        replacedConnectionId: facts.replaced ? encodeId("conn", facts.replaced.id) : null,
      },
    },
  };
}
