import { afterAll, beforeAll, expect, test } from "vitest";
import { createRotationKit, type RotationKit } from "../vault/testing/rotation-kit.ts";
import { getProviderApp, putProviderApp } from "./index.ts";

let kit: RotationKit;

beforeAll(async () => {
  kit = await createRotationKit();
});
afterAll(() => kit.close());

test("V3: a provider app's secret that somebody moved to another workspace's row is refused", async () => {
  const deps = { withWorkspace: kit.worker.withWorkspace, clock: kit.clock, vault: kit.aVault(), sandboxOrigins: [] };
  const [ours, theirs] = [await kit.aWorkspace(), await kit.aWorkspace()];
  for (const workspaceId of [ours, theirs]) {
    const body = { clientId: "app", clientSecret: `secret of ${workspaceId}` };
    await putProviderApp(deps, { workspaceId, provider: "shopify", body });
  }
  await kit.sql`
    update provider_apps a set client_secret = b.client_secret from provider_apps b
    where (a.workspace_id = ${ours} and b.workspace_id = ${theirs})
       or (a.workspace_id = ${theirs} and b.workspace_id = ${ours})`;
  for (const workspaceId of [ours, theirs]) {
    await expect(getProviderApp(deps, { workspaceId, provider: "shopify" })).rejects.toThrow("no such data key");
  }
});
