import type { Json } from "../json.ts";
import { shopBody } from "../rest/shop.ts";
import type { ShopState } from "../world.ts";

/** Takes the app out of the store. Its tokens are dead before anybody hears of it. */
export function uninstall(
  shop: ShopState,
  clientId: string,
  announce: (clientId: string, body: Json) => void,
): boolean {
  const wasInstalled = shop.installs.delete(clientId);
  if (wasInstalled) announce(clientId, shopBody(shop.catalog));
  return wasInstalled;
}
