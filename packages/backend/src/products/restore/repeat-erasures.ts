import {
  AppError,
  decodeId,
  encodeId,
  type RepeatedErasures,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { audited, type Audit } from "../../domain/audit/index.ts";
import { listWorkspaceIds, tenantExternalId } from "../../domain/workspaces/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Erasures } from "../erasure/index.ts";
import type { RestoreDeps } from "./deps.ts";

interface Deps extends Pick<RestoreDeps, "worker"> {
  readonly audit: Pick<Audit, "record">;
  readonly erasures: Pick<Erasures, "eraseTenant">;
  readonly log: Logger;
}

/**
 * Erases again what a backup brought back: tenants whose erasure came after it, as their receipts name them. Safe to
 * repeat.
 *
 * @throws AppError `invalid_request` for what names no tenant
 */
export async function repeatErasures(
  deps: Deps,
  input: {
    readonly tenantRefs: readonly string[];
    readonly requestId?: string | null;
    readonly clientAddress?: string | null;
  },
): Promise<RepeatedErasures> {
  const uids = input.tenantRefs.map((tenantRef) => {
    const uid = decodeId("ten", tenantRef);
    if (uid === null) throw new AppError("invalid_request", "tenantRefs: each is the tenantRef of a receipt, ten_…");
    return uid;
  });
  const workspaceIds = await listWorkspaceIds(deps.worker.withQueue);
  const data: RepeatedErasures["data"][number][] = [];
  for (const uid of new Set(uids)) {
    const found = await findTenant(deps, workspaceIds, uid);
    if (found !== null) await erase(deps, { ...input, ...found, uid });
    data.push({ tenantRef: encodeId("ten", uid), result: found === null ? "absent" : "erased" });
  }
  return { data };
}

/** Its workspace is not known: the uid is random, and nobody else's. */
async function findTenant(deps: Deps, workspaceIds: readonly WorkspaceId[], uid: TenantUid) {
  for (const workspaceId of workspaceIds) {
    const id = await deps.worker.withWorkspace(workspaceId, (tx) => tenantExternalId(tx, { workspaceId, uid }));
    if (id !== null) return { workspaceId, id };
  }
  return null;
}

async function erase(
  deps: Deps,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly id: string;
    readonly uid: TenantUid;
    readonly requestId?: string | null;
    readonly clientAddress?: string | null;
  },
): Promise<void> {
  const { workspaceId, id, uid, requestId = null, clientAddress = null } = input;
  await audited(
    deps,
    workspaceId,
    {
      actor: { kind: "operator", id: null },
      action: "tenant.delete",
      target: { type: "tenant", id: encodeId("ten", uid) },
      tenantUid: uid,
      requestId,
      clientAddress,
      details: { repeated: true },
    },
    () => deps.erasures.eraseTenant({ workspaceId, id }),
  );
}
