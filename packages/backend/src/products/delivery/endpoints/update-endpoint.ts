import type { EndpointId, UpdateWebhookEndpoint, WebhookEndpoint, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { getWorkspace } from "../../../domain/workspaces/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { submitAlign } from "../align-deliveries.ts";
import type { DeliveryDeps } from "../deps.ts";
import { UNTRIED } from "../endpoint-health.ts";
import { checkEndpointUrl } from "../endpoint-url.ts";
import type { EndpointRow } from "../find-endpoints.ts";
import { lockHead } from "../sequence-batch.ts";
import { endpoints } from "../tables.ts";
import { describeEndpoint, mustFindEndpoint } from "./read-endpoints.ts";
import { resolveTenants } from "./tenant-filter.ts";

/**
 * Changes what is given. Disabling holds what is not delivered yet; enabling sends it.
 *
 * @throws AppError `endpoint_not_found`, `endpoint_url_refused`, `tenant_not_found`
 */
export async function updateEndpoint(
  deps: DeliveryDeps,
  input: { readonly workspaceId: WorkspaceId; readonly endpointId: EndpointId; readonly body: UpdateWebhookEndpoint },
): Promise<WebhookEndpoint> {
  const { workspaceId, endpointId, body } = input;
  if (body.url !== undefined) {
    const { mode } = await getWorkspace(deps.app, workspaceId);
    checkEndpointUrl(body.url, { mode, endpointOrigins: deps.endpointOrigins });
  }
  const now = deps.clock.now();
  const changed = await deps.app.withWorkspace(workspaceId, async (tx) => {
    // A sequencer that saw the former status has finished when this lock is ours, so that nothing stays held.
    await lockHead(tx, workspaceId);
    const row = await mustFindEndpoint(tx, input, "update");
    const filters = await filtersOf(tx, workspaceId, body);
    const changes = { ...given(body), ...filters, ...statusChange(row, body), updatedAt: now };
    const next: EndpointRow = { ...row, ...changes };
    await tx
      .update(endpoints)
      .set(changes)
      .where(and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, endpointId)));
    const aligned = next.status !== row.status || body.url !== undefined || next.deliveryOrder !== row.deliveryOrder;
    if (aligned) await submitAlign(tx, { workspaceId, endpointId, now });
    return describeEndpoint(tx, next);
  });
  deps.wake.poke("lanes:delivery");
  return changed;
}

function given(body: UpdateWebhookEndpoint): Partial<EndpointRow> {
  return {
    // Another address has no history of failures.
    ...(body.url === undefined ? {} : { url: body.url, ...UNTRIED }),
    ...(body.ratePerSecond === undefined ? {} : { ratePerSecond: body.ratePerSecond }),
    ...(body.order === undefined ? {} : { deliveryOrder: body.order }),
    ...(body.maxInFlight === undefined ? {} : { maxInFlight: body.maxInFlight }),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.payload === undefined ? {} : { payload: body.payload }),
  };
}

/** What deliveries exist stays: filters are for events that get their position from now on. */
async function filtersOf(tx: Tx, workspaceId: WorkspaceId, body: UpdateWebhookEndpoint): Promise<Partial<EndpointRow>> {
  const { types, models, providers, tenantIds } = body;
  return {
    ...(types === undefined ? {} : { types: types && [...types] }),
    ...(models === undefined ? {} : { models: models && [...models] }),
    ...(providers === undefined ? {} : { providers: providers && [...providers] }),
    ...(tenantIds === undefined ? {} : { tenantUids: await resolveTenants(tx, workspaceId, tenantIds) }),
  };
}

function statusChange(row: EndpointRow, body: UpdateWebhookEndpoint): Partial<EndpointRow> {
  if (body.status === undefined || body.status === row.status) return {};
  if (body.status === "disabled") return { status: "disabled", disabledReason: "by_host" };
  return { status: "enabled", disabledReason: null, ...UNTRIED };
}
