import { encodeId, type WorkspaceId } from "@patchbay/shared";
import type { Actor, Audit, AuditAct } from "./domain/audit/index.ts";
import type { RotationAct, RotationJournal } from "./domain/vault/index.ts";

/** Enters what is done to a workspace's keys in its audit log. */
export function createRotationJournal(audit: Pick<Audit, "writer">, actor: Actor): RotationJournal {
  return {
    async open(workspaceId) {
      const log = await audit.writer(workspaceId);
      return (tx, act) => log.append(tx, { actor, target: targetOf(workspaceId), ...entryOf(act) });
    },
  };
}

function entryOf(act: RotationAct): Pick<AuditAct, "action" | "tenantUid" | "details"> {
  switch (act.is) {
    case "started": {
      const { kind, retired, tenantUid } = act;
      return { action: "key_rotation.start", tenantUid, details: { kind, retired } };
    }
    case "finished": {
      const { kind, renewed, destroyed } = act.rotation;
      return { action: "key_rotation.finish", details: { kind, renewed, destroyed } };
    }
    case "rewrapped": {
      const { keys, by } = act;
      return { action: "workspace_key.rewrap", details: { keys, provider: by.provider, version: by.version } };
    }
  }
}

function targetOf(workspaceId: WorkspaceId): AuditAct["target"] {
  return { type: "workspace", id: encodeId("ws", workspaceId) };
}
