import type { Order } from "../model.ts";
import { allows } from "../oauth/scopes.ts";
import { totalsOf } from "../totals.ts";
import { type Connection, paginate, type PageArgs, type Position } from "./connections.ts";
import type { Ctx } from "./context.ts";
import { compileSearch } from "./search.ts";
import { ORDER_SEARCH } from "./searchables.ts";

const SIXTY_DAYS_MS = 60 * 86_400_000;

export interface ListArgs extends PageArgs {
  readonly query?: string | null;
  readonly sortKey?: string | null;
}

export type OrdersArgs = ListArgs;

/** The store's orders this token may see: without `read_all_orders`, those of the last 60 days. */
export function visibleOrders(ctx: Ctx): Order[] {
  const orders = [...ctx.shop.catalog.orders.values()];
  if (!ctx.shop.switches.sixtyDayWindow || allows(ctx.token.scopes, ["read_all_orders"])) return orders;
  const oldest = ctx.world.clock.now().getTime() - SIXTY_DAYS_MS;
  return orders.filter((order) => order.createdAt.getTime() >= oldest);
}

/** A page of the given orders. */
export function orderConnection(ctx: Ctx, orders: readonly Order[], args: OrdersArgs): Connection {
  const found = orders.filter(compileSearch(args.query, ORDER_SEARCH));
  return paginate(ctx, found, args, {
    positionOf: orderPosition(args.sortKey),
    view: (order) => ctx.views.order(ctx, order),
  });
}

function orderPosition(sortKey: string | null | undefined): (order: Order) => Position {
  return (order) => ({ id: order.id, value: orderSortValue(order, sortKey ?? "ID") });
}

function orderSortValue(order: Order, sortKey: string): number | string {
  switch (sortKey) {
    case "CREATED_AT":
    case "PROCESSED_AT":
      return order.createdAt.getTime();
    case "UPDATED_AT":
      return order.updatedAt.getTime();
    case "ORDER_NUMBER":
      return order.number;
    case "TOTAL_PRICE":
      return totalsOf(order).total.total.shop;
    case "CURRENT_TOTAL_PRICE":
      return totalsOf(order).current.total.shop;
    case "PO_NUMBER":
      return order.poNumber ?? "";
    default:
      return 0;
  }
}
