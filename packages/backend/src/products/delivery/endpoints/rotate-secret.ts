import { AppError, type EndpointId, type WebhookEndpointWithSecret, type WorkspaceId } from "@patchbay/shared";
import { and, count, eq, gt, isNull, lte, or } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { NIL_UUID } from "../../../platform/db/index.ts";
import type { DeliveryDeps } from "../deps.ts";
import { liveSecretsOf, SECRETS_MAX } from "../load-lane-work.ts";
import { secretPlace } from "../secret-place.ts";
import { newSigningSecret } from "../sign.ts";
import { endpointSecrets } from "../tables.ts";
import { describeEndpoint, mustFindEndpoint } from "./read-endpoints.ts";

const GRACE_HOURS = 24;
const HOUR_MS = 3_600_000;

/**
 * Gives an endpoint a new secret. Deliveries are signed with the former ones too until `graceHours` (24) have passed.
 *
 * @throws AppError `endpoint_not_found`, `plan_limit` when five secrets are live already
 */
export async function rotateSecret(
  deps: Pick<DeliveryDeps, "app" | "vault" | "clock">,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly endpointId: EndpointId;
    readonly graceHours?: number | undefined;
  },
): Promise<WebhookEndpointWithSecret> {
  const { workspaceId, endpointId, graceHours = GRACE_HOURS } = input;
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "secret" });
  const secret = newSigningSecret();
  const secretId = randomUUID();
  const now = deps.clock.now();
  const expiresAt = new Date(now.getTime() + graceHours * HOUR_MS);

  const endpoint = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const row = await mustFindEndpoint(tx, input, "update");
    const ofEndpoint = and(eq(endpointSecrets.workspaceId, workspaceId), eq(endpointSecrets.endpointId, endpointId));
    // None outlives the grace that is given now.
    await tx
      .update(endpointSecrets)
      .set({ expiresAt })
      .where(and(ofEndpoint, or(isNull(endpointSecrets.expiresAt), gt(endpointSecrets.expiresAt, expiresAt))));
    await tx.delete(endpointSecrets).where(and(ofEndpoint, lte(endpointSecrets.expiresAt, now)));
    const [live] = await tx
      .select({ secrets: count() })
      .from(endpointSecrets)
      .where(liveSecretsOf(workspaceId, [endpointId], now));
    if ((live?.secrets ?? 0) >= SECRETS_MAX) {
      throw new AppError("plan_limit", `${SECRETS_MAX} secrets sign already; rotate with graceHours 0 to end them now`);
    }
    await tx.insert(endpointSecrets).values({
      workspaceId,
      id: secretId,
      endpointId,
      secret: sealer.seal(secretPlace(secretId), Buffer.from(secret.reveal())),
      createdAt: now,
    });
    return describeEndpoint(tx, row);
  });
  return { ...endpoint, secret: secret.reveal() };
}
