import { encodeId } from "@patchbay/shared";
import type { AuditAction } from "../../domain/audit/index.ts";
import type { ConnectDeps } from "./deps.ts";
import type { AuthorizationRow } from "./load-authorization.ts";

/** Enters what a person answered in a window that no route of the API serves. */
export async function auditConsent(
  deps: Pick<ConnectDeps, "audit">,
  row: AuthorizationRow,
  action: AuditAction & `authorization.${string}`,
  code: string | null,
): Promise<void> {
  const { workspaceId, tenantUid, endUserId } = row;
  const person = await deps.audit.person({ workspaceId, tenantUid, endUserId });
  await deps.audit.record(workspaceId, {
    actor: { kind: "end_user", id: person },
    action,
    target: { type: "authorization", id: encodeId("auth", row.id) },
    tenantUid,
    details: { ok: code === null, provider: row.provider, ...(code === null ? {} : { code }) },
  });
}
