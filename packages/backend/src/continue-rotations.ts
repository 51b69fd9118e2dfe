import type { WorkspaceId } from "@patchbay/shared";
import { unopened, workRotations, type RotationDeps } from "./domain/vault/index.ts";
import type { Logger } from "./platform/observability/index.ts";

/** A worker's share in key rotations: takes a workspace's on. One that cannot end is told once a pass, once an hour. */
export async function continueRotations(
  deps: RotationDeps & { readonly log: Logger },
  workspaceId: WorkspaceId,
): Promise<void> {
  const { ended, stuck } = await workRotations(deps, workspaceId);
  for (const row of stuck) {
    const { id: rotationId, kind, pass } = row;
    deps.log.warn(
      { workspaceId, rotationId, kind, pass, unopened: unopened(row) },
      "key rotation: values cannot be opened, their old keys stay",
    );
  }
  for (const { kind, renewed, destroyed, pass } of ended) {
    deps.log.info({ workspaceId, kind, renewed, destroyed, passes: pass }, "keys rotated");
  }
}
