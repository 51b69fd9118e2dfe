import { encodeUuid, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { NIL_UUID, type Tx, type WithWorkspace } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Authenticator, Vault } from "../vault/index.ts";
import { checkAct, type AuditAct } from "./act.ts";
import { appendActs } from "./append.ts";
import { createBatches } from "./batches.ts";

/** Appends to one workspace's log inside a transaction of the caller's. */
export interface AuditWriter {
  /**
   * Call it last in the transaction: from here to the commit everybody else who appends in this workspace waits.
   * A rollback takes the entry along.
   */
  append(tx: Tx, act: AuditAct): Promise<void>;
}

/** What was done, by whom, to what: one chain of hashes per workspace that nobody can change unseen. */
export interface Audit {
  /** Loads the workspace's key. Call it before the transaction that appends. */
  writer(workspaceId: WorkspaceId): Promise<AuditWriter>;
  /**
   * Appends in a transaction of its own, shared with others who do so at the same time; resolves after the commit.
   * Never call it inside a transaction.
   *
   * @throws AppError `overloaded`
   */
  record(workspaceId: WorkspaceId, act: AuditAct): Promise<void>;
  /**
   * How a person stands in the log: `usr_…`, always the same for one end user of one tenant. Only who knows the
   * host's id of the person can find it, and after the tenant's erasure nobody can.
   */
  person(input: {
    readonly workspaceId: WorkspaceId;
    readonly tenantUid: TenantUid;
    readonly endUserId: string;
  }): Promise<string>;
}

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Pick<Vault, "authenticator">;
  readonly clock: Clock;
}

export function createAudit(deps: Deps): Audit {
  const batches = createBatches<AuditAct>(async (workspaceId, acts) => {
    const key = await chainKey(deps, workspaceId);
    await deps.withWorkspace(workspaceId, (tx) => appendActs(deps, tx, { workspaceId, key, acts }));
  });
  return {
    async writer(workspaceId) {
      const key = await chainKey(deps, workspaceId);
      return {
        async append(tx, act) {
          checkAct(act);
          await appendActs(deps, tx, { workspaceId, key, acts: [act] });
        },
      };
    },
    async record(workspaceId, act) {
      checkAct(act);
      await batches.add(workspaceId, act);
    },
    async person({ workspaceId, tenantUid, endUserId }) {
      const key = await deps.vault.authenticator({ workspaceId, tenantUid, purpose: "audit", scope: "people" });
      const hex = Buffer.from(key.mac(Buffer.from(endUserId)).subarray(0, 16)).toString("hex");
      return `usr_${encodeUuid(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"))}`;
    },
  };
}

function chainKey(deps: Deps, workspaceId: WorkspaceId): Promise<Authenticator> {
  return deps.vault.authenticator({ workspaceId, tenantUid: NIL_UUID, purpose: "audit", scope: "chain" });
}
