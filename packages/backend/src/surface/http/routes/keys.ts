import {
  KeyStatus,
  StartKeyRotation,
  StartedKeyRotation,
  encodeId,
  type KeyRotationKind,
  type WorkspaceId,
} from "@patchbay/shared";
import { z } from "zod";
import {
  unopened,
  type KeyStatus as VaultKeyStatus,
  type RotationKind,
  type StateCounts,
} from "../../../domain/vault/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly keyStatus: () => Promise<VaultKeyStatus>;
  /** @throws AppError `workspace_not_found` */
  readonly startRotation: (workspaceId: WorkspaceId, kind: RotationKind) => Promise<number>;
}

/** The operator's view of the vault's keys. */
export const keyRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "get",
      path: "/admin/v1/keys",
      summary: "See how the vault's keys stand",
      tag: "Operator",
      scope: null,
      request: {},
      responses: { 200: KeyStatus },
    },
    async (c) => c.json(toApi(await deps.keyStatus())),
  ),
  defineRoute(
    {
      method: "post",
      path: "/admin/v1/workspaces/{id}/key-rotations",
      summary: "Renew a workspace's keys; a worker does the rest",
      tag: "Operator",
      scope: null,
      request: { params: z.strictObject({ id: z.string() }), body: StartKeyRotation },
      responses: { 202: StartedKeyRotation },
    },
    async (c, { params, body }) => {
      const workspaceId = edgeId("ws", params.id, "workspace_not_found");
      return c.json({ kind: body.kind, retired: await deps.startRotation(workspaceId, KIND_INSIDE[body.kind]) }, 202);
    },
  ),
];

const KIND_INSIDE: Readonly<Record<KeyRotationKind, RotationKind>> = { data: "data", workspaceKey: "workspace_key" };

function toApi(status: VaultKeyStatus): KeyStatus {
  return {
    versions: status.versions.map(({ rows, ...version }) => ({ ...version, workspaceKeys: rows })),
    pending: status.pending,
    nodes: status.nodes.map((node) => ({ ...node, seenAt: node.seenAt.toISOString() })),
    workspaceKeys: counts(status.workspaceKeys),
    dataKeys: counts(status.dataKeys),
    rotations: status.rotations.map((row) => ({
      workspaceId: encodeId("ws", row.workspaceId),
      kind: row.kind === "data" ? "data" : "workspaceKey",
      state: row.state === "waiting" ? "waiting" : "running",
      pass: row.pass,
      position: row.position === null ? null : [row.position.column, row.position.after].filter(Boolean).join(" "),
      renewed: row.renewed,
      unopened: unopened(row),
      retired: row.retired,
      startedAt: row.startedAt.toISOString(),
      nextPassAt: row.nextPassAt?.toISOString() ?? null,
    })),
  };
}

function counts(states: StateCounts) {
  return { active: states.active, old: states.decrypt_only, destroyed: states.destroyed };
}
