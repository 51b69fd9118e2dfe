import { AppError, type EventId, type PatchbayEvent, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { events } from "../../../domain/events/index.ts";
import type { DeliveryDeps } from "../deps.ts";
import { openEvents } from "./open-events.ts";

/** @throws AppError `event_not_found`, also when its tenant was erased */
export async function getEvent(
  deps: Pick<DeliveryDeps, "app" | "vault">,
  input: { readonly workspaceId: WorkspaceId; readonly eventId: EventId },
): Promise<PatchbayEvent> {
  const { workspaceId, eventId } = input;
  const rows = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ id: events.id, body: events.body, bodyKeyId: events.bodyKeyId })
      .from(events)
      .where(and(eq(events.workspaceId, workspaceId), eq(events.id, eventId))),
  );
  const [opened] = await openEvents(deps.vault, workspaceId, rows);
  if (opened === undefined) throw new AppError("event_not_found", "no such event in this workspace");
  return opened.event;
}
