import { randomBytes } from "node:crypto";
import { parseScopes } from "../oauth/scopes.ts";
import { install, offlineToken } from "../oauth/tokens.ts";
import type { ShopState, World } from "../world.ts";

/** An app that a merchant made in the store's own admin: its token never ends, and is shown once to be copied. */
export function customApp(
  world: World,
  shop: ShopState,
  scopes: string,
): { readonly clientId: string; readonly accessToken: string; readonly apiSecret: string } {
  const clientId = randomBytes(16).toString("hex");
  const apiSecret = `shpss_${randomBytes(16).toString("hex")}`;
  world.state.apps.set(clientId, {
    clientId,
    clientSecret: apiSecret,
    title: "Custom app",
    redirectUris: [],
    complianceUrl: null,
    ownShops: [shop.catalog.profile.domain],
  });
  const app = install(world, shop, clientId, parseScopes(scopes));
  offlineToken(app);
  return { clientId, accessToken: app.accessTokens.at(-1)?.value ?? "", apiSecret };
}
