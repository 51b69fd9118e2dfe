import {
  encodeId,
  type ApiKey,
  type ApiKeyId,
  type ApiKeyWithSecret,
  type CreateApiKey,
  type CreateWorkspace,
  type PutTenant,
  type RotateApiKey,
  type Tenant,
  type Workspace,
  type WorkspaceId,
} from "@patchbay/shared";
import { audited, type Audit, type AuditAct, type Outcome } from "./domain/audit/index.ts";
import {
  createApiKey,
  getWorkspace,
  openWorkspace,
  putTenant,
  revokeApiKey,
  revokePreviousSecret,
  rotateApiKey,
  tenantRef,
} from "./domain/workspaces/index.ts";
import type { WithWorkspace } from "./platform/db/index.ts";
import type { Logger } from "./platform/observability/index.ts";
import type { Clock } from "./platform/runtime/index.ts";

/** What an operator does at the command line, entered in the workspace's audit log as requests are. */
export interface OperatorActs {
  createWorkspace(input: CreateWorkspace): Promise<Workspace>;
  createApiKey(workspaceId: WorkspaceId, input: CreateApiKey): Promise<ApiKeyWithSecret>;
  rotateApiKey(workspaceId: WorkspaceId, keyId: ApiKeyId, input: RotateApiKey): Promise<ApiKeyWithSecret>;
  revokeApiKey(workspaceId: WorkspaceId, keyId: ApiKeyId): Promise<ApiKey>;
  revokePreviousSecret(workspaceId: WorkspaceId, keyId: ApiKeyId): Promise<ApiKey>;
  putTenant(workspaceId: WorkspaceId, id: string, body: PutTenant): Promise<Tenant>;
}

export function createOperatorActs(deps: {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly log: Logger;
}): OperatorActs {
  /** Without the workspace there is no log to enter anything in. */
  async function enter<Result>(
    workspaceId: WorkspaceId,
    act: Pick<AuditAct, "action" | "target">,
    work: () => Promise<Result>,
    outcomeOf?: (result: Result) => Promise<Outcome> | Outcome,
  ): Promise<Result> {
    await getWorkspace(deps, workspaceId);
    return audited(deps, workspaceId, { ...act, actor: { kind: "operator", id: null } }, work, outcomeOf);
  }

  return {
    createWorkspace: (input) => openWorkspace(deps, input),
    createApiKey: (workspaceId, input) =>
      enter(
        workspaceId,
        { action: "api_key.create", target: { type: "workspace", id: encodeId("ws", workspaceId) } },
        () => createApiKey(deps, { ...input, workspaceId }),
        (key) => ({ target: { type: "api_key", id: key.id }, details: { ok: true } }),
      ),
    rotateApiKey: (workspaceId, keyId, input) =>
      enter(workspaceId, { action: "api_key.rotate", target: targetOf(keyId) }, () =>
        rotateApiKey(deps, { ...input, workspaceId, keyId }),
      ),
    revokeApiKey: (workspaceId, keyId) =>
      enter(workspaceId, { action: "api_key.delete", target: targetOf(keyId) }, () =>
        revokeApiKey(deps, { workspaceId, keyId }),
      ),
    revokePreviousSecret: (workspaceId, keyId) =>
      enter(workspaceId, { action: "api_key.revoke_previous", target: targetOf(keyId) }, () =>
        revokePreviousSecret(deps, { workspaceId, keyId }),
      ),
    putTenant: (workspaceId, id, body) =>
      enter(
        workspaceId,
        { action: "tenant.put", target: { type: "tenant", id: null } },
        () => putTenant(deps, { workspaceId, id, body }),
        async () => {
          const { uid } = await deps.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id }));
          return { tenantUid: uid, target: { type: "tenant", id: encodeId("ten", uid) }, details: { ok: true } };
        },
      ),
  };
}

function targetOf(keyId: ApiKeyId): AuditAct["target"] {
  return { type: "api_key", id: encodeId("key", keyId) };
}
