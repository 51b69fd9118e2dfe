import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import type { Tx, WithWorkspace } from "../../platform/db/index.ts";
import type { ConnectDeps } from "./deps.ts";
import type { SessionContext } from "./session-context.ts";

/** The host's backend with its API key, or a browser with a connect session. */
export type Who =
  | { readonly workspaceId: WorkspaceId; readonly session?: never }
  | { readonly workspaceId: WorkspaceId; readonly session: SessionContext };

/** One transaction of a caller: a session's sees its tenant alone, in the database as well. */
export function asCaller<Result>(deps: ConnectDeps, who: Who, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  return who.session === undefined
    ? deps.withWorkspace(who.workspaceId, work)
    : deps.withTenant(who.workspaceId, who.session.tenantUid, work);
}

/**
 * For functions of the domain that open transactions of their own. It has nothing else to give, so that what must see
 * every tenant of a grant cannot be handed it by mistake.
 */
export function withinTenant(
  deps: ConnectDeps,
  { tenantUid }: { readonly tenantUid: TenantUid },
): Pick<ConnectDeps, "withWorkspace" | "vault" | "clock"> {
  const withWorkspace: WithWorkspace = (workspaceId, work) => deps.withTenant(workspaceId, tenantUid, work);
  return { withWorkspace, vault: deps.vault, clock: deps.clock };
}
