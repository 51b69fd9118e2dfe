import { z } from "zod";
import { dataOf, type Expansion, type ProviderResponse } from "../../kit/index.ts";
import { read } from "../api.ts";
import { completeConnections, restOf } from "../lists.ts";
import {
  EXPANSION,
  INLINE,
  ORDER_LINE_ITEMS,
  ORDER_REFUNDS,
  ORDER_SHIPPING_LINES,
  REFUND_LINE_ITEMS,
  REFUNDS_MAX,
} from "../queries.ts";

/**
 * What completes an order: lines, shipping lines, refunds, and the lines of each refund.
 *
 * `refunds` is a plain list, so a full one may be cut. Reading it whole replaces the refunds, and only then is it known
 * which of them have more lines: that is asked in the next round.
 */
export function orderExpansions(item: unknown): readonly Expansion[] {
  const order = OrderItem.safeParse(item).data;
  if (order === undefined) return [];
  const connections = completeConnections(item, [
    { document: ORDER_LINE_ITEMS, field: "lineItems", pageSize: EXPANSION.lineItems },
    { document: ORDER_SHIPPING_LINES, field: "shippingLines", pageSize: EXPANSION.shippingLines },
  ]);
  if (mayHaveMoreRefunds(order)) return [...connections, allRefunds(order)];
  return [...connections, ...order.refunds.flatMap(restOfRefundLines)];
}

function mayHaveMoreRefunds(order: OrderItem): boolean {
  return order.refundsComplete !== true && order.refunds.length >= INLINE.refunds;
}

function allRefunds(order: OrderItem): Expansion {
  return {
    request: read(ORDER_REFUNDS, { ids: [order.id] }, REFUNDS_MAX),
    next: () => null,
    merge: (item, response) => ({
      ...OrderItem.parse(item),
      refunds: refundsIn(response) ?? OrderItem.parse(item).refunds,
      refundsComplete: true,
    }),
  };
}

function restOfRefundLines(refund: RefundItem): readonly Expansion[] {
  const child = { document: REFUND_LINE_ITEMS, field: "refundLineItems", pageSize: EXPANSION.refundLineItems };
  return restOf(child, refund, (item, change) => {
    const order = OrderItem.parse(item);
    return { ...order, refunds: order.refunds.map((each) => (each.id === refund.id ? change(each) : each)) };
  });
}

/** `null` when the order is gone by now. */
function refundsIn(response: ProviderResponse): readonly unknown[] | null {
  return RefundsAnswer.parse(dataOf(response)).nodes[0]?.refunds ?? null;
}

const RefundItem = z.looseObject({ id: z.string() });
type RefundItem = z.output<typeof RefundItem>;
const OrderItem = z.looseObject({
  id: z.string(),
  refunds: z.array(RefundItem),
  refundsComplete: z.boolean().optional(),
});
type OrderItem = z.output<typeof OrderItem>;
const RefundsAnswer = z.looseObject({ nodes: z.array(z.looseObject({ refunds: z.array(z.unknown()) }).nullable()) });
