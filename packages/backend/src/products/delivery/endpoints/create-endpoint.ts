import {
  AppError,
  type CreateWebhookEndpoint,
  type EndpointId,
  type WebhookEndpointWithSecret,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, count, eq, isNull } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { getWorkspace } from "../../../domain/workspaces/index.ts";
import { NIL_UUID } from "../../../platform/db/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import type { DeliveryDeps } from "../deps.ts";
import { checkEndpointUrl } from "../endpoint-url.ts";
import { secretPlace } from "../secret-place.ts";
import { lockHead } from "../sequence-batch.ts";
import { newSigningSecret } from "../sign.ts";
import { endpoints, endpointSecrets } from "../tables.ts";
import { describeEndpoint } from "./read-endpoints.ts";
import { resolveTenants } from "./tenant-filter.ts";

/** Endpoints of one workspace: each event is compared with every one of them. */
const ENDPOINTS_MAX = 50;

/**
 * Makes an endpoint for events that get their position from now on. Its secret is shown here and never again.
 *
 * @throws AppError `endpoint_url_refused`, `tenant_not_found`, `plan_limit`
 */
export async function createEndpoint(
  deps: DeliveryDeps,
  input: { readonly workspaceId: WorkspaceId; readonly body: CreateWebhookEndpoint },
): Promise<WebhookEndpointWithSecret> {
  const { workspaceId, body } = input;
  const { mode } = await getWorkspace(deps.app, workspaceId);
  checkEndpointUrl(body.url, { mode, endpointOrigins: deps.endpointOrigins });
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "secret" });
  const secret = newSigningSecret();
  const secretId = randomUUID();
  const now = deps.clock.now();

  const endpoint = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const head = await lockHead(tx, workspaceId);
    const [made] = await tx
      .select({ endpoints: count() })
      .from(endpoints)
      .where(and(eq(endpoints.workspaceId, workspaceId), isNull(endpoints.deletedAt)));
    if ((made?.endpoints ?? 0) >= ENDPOINTS_MAX) {
      throw new AppError("plan_limit", `a workspace has at most ${ENDPOINTS_MAX} endpoints; delete one first`);
    }
    const [inserted] = await tx
      .insert(endpoints)
      .values({
        workspaceId,
        id: newId<EndpointId>(),
        url: body.url,
        description: body.description ?? null,
        types: copied(body.types),
        models: copied(body.models),
        tenantUids: await resolveTenants(tx, workspaceId, body.tenantIds ?? null),
        providers: copied(body.providers),
        ratePerSecond: body.ratePerSecond ?? null,
        maxInFlight: body.maxInFlight ?? null,
        deliveryOrder: body.order ?? "none",
        payload: body.payload ?? "full",
        status: "enabled",
        sincePosition: head.position,
        createdAt: now,
        updatedAt: now,
      })
      .returning();
    if (inserted === undefined) throw new Error("the endpoint was not written");
    await tx.insert(endpointSecrets).values({
      workspaceId,
      id: secretId,
      endpointId: inserted.id,
      secret: sealer.seal(secretPlace(secretId), Buffer.from(secret.reveal())),
      createdAt: now,
    });
    return describeEndpoint(tx, inserted);
  });
  return { ...endpoint, secret: secret.reveal() };
}

function copied<T>(filter: readonly T[] | undefined): T[] | null {
  return filter === undefined ? null : [...filter];
}
