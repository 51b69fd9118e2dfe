import type { Json } from "../json.ts";
import type { Order, Product, Variant } from "../model.ts";
import type { Emit, Store } from "../store.ts";
import type { AccessToken, BulkOperation, Install, ShopState, World } from "../world.ts";

/** Views that others lead back to. They go through the context, so that the view files do not import each other in circles. */
export interface Views {
  readonly order: (ctx: Ctx, order: Order) => unknown;
  readonly variant: (ctx: Ctx, product: Product, variant: Variant) => unknown;
}

/** One GraphQL request: whose it is, which store it is about, and how it may change it. */
export interface Ctx {
  readonly world: World;
  readonly shop: ShopState;
  readonly store: Store;
  readonly install: Install;
  readonly token: AccessToken;
  readonly views: Views;
  readonly apiVersion: string;
  /** Address of this sandbox, as the caller reached it. */
  readonly baseUrl: string;
  readonly emit: Emit;
  readonly uninstalled: (clientId: string, body: Json) => void;
  /** Starts a bulk operation, or says what is wrong with the query. */
  readonly runBulk: (query: string) => BulkOperation | string;
  /** Bulk operations read connections without page limits. */
  readonly unlimited: boolean;
}
