import { z } from "zod";
import type { Services } from "../http/env.ts";
import type { Catalog } from "../model.ts";
import { type AppRegistration, type Delivery, findShop, type ShopState, type Switches } from "../world.ts";
import type { Outcome } from "./outcome.ts";
import { VERBS } from "./verbs.ts";

/** An app as its developer describes it. */
export interface AppInput {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly title?: string;
  /** Exact URIs, or patterns such as `http://localhost:*` and `http://*.localhost:*`. */
  readonly redirectUris: readonly string[];
  readonly complianceUrl?: string;
  /** Stores where client credentials work; all, when left out. */
  readonly ownShops?: readonly string[];
}

/** Drives the emulated stores from a test or a program. Every verb is also a route: `POST /_control/shops/{shop}/{verb}`. */
export interface ShopifyControl {
  registerApp(app: AppInput): void;
  /** Domains of the stores. */
  readonly shops: readonly string[];
  /**
   * Does something in a store: `place-order`, `refund`, `update-order`, `cancel-order`, `fulfill-order`, `edit-product`,
   * `delete-product`, `update-customer`, `uninstall`, `custom-app`, `revoke-tokens`, `switches`, `calm`, `release-webhooks`,
   * `retry-webhooks`, `compliance`.
   *
   * @throws Error when the shop or verb is unknown, the input is wrong, or the store refuses
   */
  act(shop: string, verb: string, input?: Readonly<Record<string, unknown>>): Outcome;
  /** The store's data, for looking at; change it through `act` or the API alone. */
  catalog(shop: string): Catalog;
  switches(shop: string): Readonly<Switches>;
  deliveries(shop: string): readonly Delivery[];
  readonly webhooks: {
    /** Starts the retries that are due by the clock; returns how many. */
    retryDueNow(): number;
    /** Resolves once nothing is on its way. */
    idle(): Promise<void>;
  };
}

export const AppSchema: z.ZodType<AppInput> = z.strictObject({
  clientId: z.string().min(1).max(100),
  clientSecret: z.string().min(1).max(200),
  title: z.string().max(100).exactOptional(),
  redirectUris: z.array(z.string().max(2000)).min(1).max(50),
  complianceUrl: z.url().exactOptional(),
  ownShops: z.array(z.string()).exactOptional(),
});

export function shopifyControl(services: Services): ShopifyControl {
  const { state } = services.world;
  return {
    registerApp: (app) => {
      state.apps.set(app.clientId, registration(app));
      services.changed();
    },
    shops: [...state.shops.keys()],
    act: (shop, verb, input) => {
      const outcome = actOn(services, shopOf(services, shop), verb, input ?? {});
      services.changed();
      return outcome;
    },
    catalog: (shop) => shopOf(services, shop).catalog,
    switches: (shop) => shopOf(services, shop).switches,
    deliveries: (shop) => shopOf(services, shop).deliveries,
    webhooks: {
      retryDueNow: () => services.dispatcher.retryDueNow(),
      idle: () => services.dispatcher.idle(),
    },
  };
}

export function actOn(services: Services, shop: ShopState, verb: string, input: unknown): Outcome {
  const known = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (!known) throw new Error(`no control verb ${verb}`);
  return known.run(services, shop, input);
}

function shopOf(services: Services, name: string): ShopState {
  const shop = findShop(services.world.state, name);
  if (!shop) throw new Error(`no shop ${name}`);
  return shop;
}

function registration(app: AppInput): AppRegistration {
  return {
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    title: app.title ?? app.clientId,
    redirectUris: app.redirectUris,
    complianceUrl: app.complianceUrl ?? null,
    ownShops: app.ownShops ?? null,
  };
}
