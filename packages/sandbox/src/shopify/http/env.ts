import type { HttpBindings } from "@hono/node-server";
import type { Json } from "../json.ts";
import type { Dispatcher } from "../webhooks/dispatcher.ts";
import type { Engine } from "../graphql/engine.ts";
import type { Emit, Store } from "../store.ts";
import { type ShopState, storeOf, type World } from "../world.ts";

/** What the routes work with. */
export interface Services {
  readonly world: World;
  readonly engine: Engine;
  readonly dispatcher: Dispatcher;
  /** Says that something changed which should outlive the process. */
  readonly changed: () => void;
}

export interface Env {
  Bindings: Partial<HttpBindings>;
  Variables: { shop: ShopState };
}

export function emitterFor(services: Services, shop: ShopState): Emit {
  return (topic, body) => services.dispatcher.emit(shop, topic, body);
}

export function liveStore(services: Services, shop: ShopState): Store {
  return storeOf(services.world, shop, emitterFor(services, shop));
}

export function announceUninstall(services: Services, shop: ShopState): (clientId: string, body: Json) => void {
  return (clientId, body) => services.dispatcher.uninstalled(shop, clientId, body);
}
