import type { EndpointId, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { submitAlign } from "../align-deliveries.ts";
import type { DeliveryDeps } from "../deps.ts";
import { lockHead } from "../sequence-batch.ts";
import { endpoints, endpointSecrets } from "../tables.ts";
import { mustFindEndpoint } from "./read-endpoints.ts";

/** Deletes an endpoint and its secrets; what is not delivered yet is dropped. @throws AppError `endpoint_not_found` */
export async function deleteEndpoint(
  deps: Pick<DeliveryDeps, "app" | "clock" | "wake">,
  input: { readonly workspaceId: WorkspaceId; readonly endpointId: EndpointId },
): Promise<void> {
  const { workspaceId, endpointId } = input;
  const now = deps.clock.now();
  await deps.app.withWorkspace(workspaceId, async (tx) => {
    await lockHead(tx, workspaceId);
    await mustFindEndpoint(tx, input, "update");
    await tx
      .update(endpoints)
      .set({ deletedAt: now, updatedAt: now })
      .where(and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, endpointId)));
    await tx
      .delete(endpointSecrets)
      .where(and(eq(endpointSecrets.workspaceId, workspaceId), eq(endpointSecrets.endpointId, endpointId)));
    await submitAlign(tx, { workspaceId, endpointId, now });
  });
  deps.wake.poke("lanes:delivery");
}
