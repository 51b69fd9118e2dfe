import type { ConnectionId, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, isNull, notInArray } from "drizzle-orm";
import { connections, grants } from "../../domain/connections/index.ts";
import { tenants } from "../../domain/workspaces/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { CredentialsDeps } from "./deps.ts";
import { isSingleUse, refreshPolicyOf } from "./refresh-policy.ts";

/** A connection whose credentials may be others at the provider than in a restored backup. */
export interface ConnectionAtRisk {
  readonly connectionId: ConnectionId;
  /** The host's id. */
  readonly tenantId: string;
  readonly provider: string;
  /**
   * `single_use`: every refresh ends the token before. `until_replaced`: the token before works until the new one was
   * used. `own_rotation`: we replace the key ourselves.
   */
  readonly why: "single_use" | "until_replaced" | "own_rotation";
  /** It was due between backup and restore: had the source run until then, the saved token is of the past. */
  readonly due: boolean;
}

/**
 * Live connections whose grants change with use, oldest first. What the source did after the backup nobody here can
 * know.
 */
export async function listAtRisk(
  deps: Pick<CredentialsDeps, "connectors">,
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly restoredAt: Date },
): Promise<readonly ConnectionAtRisk[]> {
  const { workspaceId, restoredAt } = input;
  const rows = await tx
    .select({
      connectionId: connections.id,
      tenantId: tenants.externalId,
      provider: grants.provider,
      authMethod: grants.authMethod,
      refreshAt: grants.refreshAt,
      rotateAt: grants.rotateAt,
    })
    .from(connections)
    .innerJoin(grants, and(eq(grants.workspaceId, connections.workspaceId), eq(grants.id, connections.grantId)))
    .innerJoin(tenants, and(eq(tenants.workspaceId, connections.workspaceId), eq(tenants.uid, connections.tenantUid)))
    .where(
      and(
        eq(connections.workspaceId, workspaceId),
        isNull(connections.endedAt),
        isNull(grants.handedOverAt),
        notInArray(grants.state, ["dead", "ended"]),
      ),
    )
    .orderBy(asc(connections.id));
  return rows.flatMap(({ connectionId, tenantId, provider, authMethod, refreshAt, rotateAt }): ConnectionAtRisk[] => {
    const policy = refreshPolicyOf(deps, { provider, authMethod });
    const isDue = (at: Date | null) => at !== null && at <= restoredAt;
    const row = { connectionId, tenantId, provider };
    if (policy.kind === "rotating") {
      return [{ ...row, why: isSingleUse(policy) ? "single_use" : "until_replaced", due: isDue(refreshAt) }];
    }
    return rotateAt === null ? [] : [{ ...row, why: "own_rotation", due: isDue(rotateAt) }];
  });
}
