import { decodeId, type TenantUid } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { createWorkspace, putProviderApp } from "../../../packages/backend/src/domain/workspaces/index.ts";
import { systemClock } from "../../../packages/backend/src/platform/runtime/index.ts";
import { createSource } from "../../../packages/backend/src/products/ingest/sources/create-source.ts";
import { encodeSource } from "../../../packages/backend/src/products/ingest/sources/source-path.ts";
import { aConnection } from "../../harness/builders.ts";
import type { Ground } from "../kit/ground.ts";
import type { Target } from "../kit/load-plan.ts";

export const APP_SECRET = "bench-app-secret";

/** Inbox addresses of connected stores: some workspaces, with some stores each. */
export async function makeSources(
  ground: Ground,
  sizes: { readonly workspaces: number; readonly storesEach: number },
): Promise<readonly Target[]> {
  const targets: Target[] = [];
  const { withWorkspace } = ground.database.as("patchbay_app");
  const deps = { withWorkspace, clock: systemClock, vault: ground.vault, sandboxOrigins: [] };
  for (let w = 0; w < sizes.workspaces; w++) {
    const workspace = await createWorkspace(deps, { name: `Bench ${w}`, mode: "test" });
    const workspaceId = decodeId("ws", workspace.id);
    if (workspaceId === null) throw new Error("a workspace without an id");
    const body = { clientId: "bench", clientSecret: APP_SECRET };
    const app = await putProviderApp(deps, { workspaceId, provider: "shopify", body });
    for (let s = 0; s < sizes.storesEach; s++) {
      const shop = `bench-${w}-${s}.myshopify.com`;
      const connection = await aConnection(ground.sql, {
        workspaceId,
        providerAppId: app.id,
        tenantUid: randomUUID() as TenantUid,
        tenantExternalId: `store-${w}-${s}`,
        accountId: `gid://shopify/Shop/${w * sizes.storesEach + s + 1}`,
        params: { shop },
      });
      await ground.sql`update connections set account_aliases = ${[shop]} where id = ${connection.connectionId}`;
      const sourceId = await withWorkspace(workspaceId, (tx) =>
        createSource(tx, { ...connection, now: systemClock.now() }),
      );
      targets.push({ path: `/in/shopify/${encodeSource({ workspaceId, sourceId })}`, shop });
    }
  }
  return targets;
}
