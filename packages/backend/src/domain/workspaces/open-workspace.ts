import { encodeId, type CreateWorkspace, type Workspace, type WorkspaceId } from "@patchbay/shared";
import type { WithWorkspace } from "../../platform/db/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import type { Audit, AuditAct } from "../audit/index.ts";
import { createWorkspace } from "./workspaces.ts";

/**
 * Makes a workspace on an operator's word. The first entry of its audit log says so, in the same transaction: before
 * there is a workspace there is no log to enter the attempt in.
 */
export async function openWorkspace(
  deps: { readonly withWorkspace: WithWorkspace; readonly clock: Clock; readonly audit: Pick<Audit, "writer"> },
  input: CreateWorkspace,
  request: Pick<AuditAct, "requestId" | "clientAddress"> = {},
): Promise<Workspace> {
  const id = newId<WorkspaceId>();
  const entries = await deps.audit.writer(id);
  return createWorkspace(deps, input, {
    id,
    also: (tx) =>
      entries.append(tx, {
        ...request,
        actor: { kind: "operator", id: null },
        action: "workspace.create",
        target: { type: "workspace", id: encodeId("ws", id) },
        details: { mode: input.mode },
      }),
  });
}
