import { currencyExponent, type NormalizedRecord, type RefundStatus } from "@patchbay/shared";
import { z } from "zod";
import { defineResource, type NormalizeContext } from "../../kit/index.ts";
import { numericId } from "../api.ts";
import {
  adminUrl,
  Beside,
  BothMoney,
  connectionOf,
  Gid,
  Instant,
  instantOrNull,
  minorUnits,
  remoteFacts,
  shopAmount,
  ShopMoney,
  word,
} from "../raw.ts";

/** A refund as it stands in its order, with what it needs of the order put beside it. */
export const RawRefund = z.looseObject({
  ...Beside,
  order: z.looseObject({ id: Gid, test: z.boolean(), customer: z.looseObject({ id: Gid }).nullable() }),
  id: Gid,
  note: z.string().nullable(),
  // `null` for refunds that were imported.
  createdAt: Instant.nullable(),
  updatedAt: Instant,
  processedAt: Instant.nullable(),
  totalRefundedSet: BothMoney,
  refundLineItems: connectionOf(
    z.looseObject({
      quantity: z.int(),
      restockType: z.string(),
      lineItem: z.looseObject({ id: Gid }),
      subtotalSet: ShopMoney,
      totalTaxSet: ShopMoney,
    }),
  ),
  transactions: z.looseObject({
    nodes: z.array(z.looseObject({ status: z.string(), errorCode: z.string().nullable() })),
  }),
  orderAdjustments: z.looseObject({
    nodes: z.array(
      z.looseObject({ id: Gid, reason: z.string().nullable(), amountSet: ShopMoney, taxAmountSet: ShopMoney }),
    ),
  }),
});
type RawRefund = z.output<typeof RawRefund>;

const RESTOCK_TYPES = {
  RETURN: "return",
  CANCEL: "cancel",
  NO_RESTOCK: "no_restock",
  LEGACY_RESTOCK: "legacy_restock",
} as const;

const STATUSES = {
  FAILURE: "failed",
  ERROR: "failed",
  PENDING: "pending",
  AWAITING_RESPONSE: "pending",
  SUCCESS: "succeeded",
} as const;
/** Worst first. */
const SEVERITY: readonly RefundStatus[] = ["failed", "unknown", "pending", "succeeded"];

/** Children of orders: Shopify lists them nowhere else, and never takes one back. */
export const refunds = defineResource({
  name: "refunds",
  model: "refund",
  childOf: "orders",
  raw: RawRefund,
  projectionVersion: 1,
  changes: "full_scan",
  deletions: "never",
  overlapSeconds: 0,
  list: null,
  batchRead: null,
  completeChildren: [],
  strictVersion: () => null,
  normalize: (raw, context) => [normalizeRefund(raw, context)],
});

export function normalizeRefund(raw: RawRefund, context: NormalizeContext): NormalizedRecord {
  const { shopMoney, presentmentMoney } = raw.totalRefundedSet;
  const orderId = numericId(raw.order.id);
  const worst = worstTransaction(raw);
  return {
    model: "refund",
    data: {
      ...remoteFacts(raw, adminUrl(raw.shop, `/orders/${orderId}`), {
        testMode: raw.order.test,
        fields: { customer: "customerId" },
      }),
      orderId: context.id("order", orderId),
      customerId: raw.order.customer && context.id("customer", numericId(raw.order.customer.id)),
      currency: shopMoney.currencyCode,
      currencyExponent: currencyExponent(shopMoney.currencyCode),
      amount: minorUnits(shopMoney),
      presentment:
        presentmentMoney.currencyCode === shopMoney.currencyCode
          ? null
          : {
              currency: presentmentMoney.currencyCode,
              currencyExponent: currencyExponent(presentmentMoney.currencyCode),
              amount: minorUnits(presentmentMoney),
            },
      status: worst?.status ?? "succeeded",
      statusRemote: worst?.remote ?? null,
      failureReason: raw.transactions.nodes.find((transaction) => transaction.errorCode !== null)?.errorCode ?? null,
      note: raw.note,
      lines: raw.refundLineItems.nodes.map((line) => ({
        orderLineRemoteId: numericId(line.lineItem.id),
        quantity: line.quantity,
        subtotalAmount: shopAmount(line.subtotalSet),
        taxAmount: shopAmount(line.totalTaxSet),
        restockType: word(RESTOCK_TYPES, line.restockType),
        restockTypeRemote: line.restockType,
      })),
      adjustments: raw.orderAdjustments.nodes.map((adjustment) => ({
        remoteId: numericId(adjustment.id),
        reason: adjustment.reason?.toLowerCase() ?? null,
        amount: shopAmount(adjustment.amountSet),
        taxAmount: shopAmount(adjustment.taxAmountSet),
      })),
      processedAt: instantOrNull(raw.processedAt),
    },
  };
}

function worstTransaction(raw: RawRefund): { readonly status: RefundStatus; readonly remote: string } | null {
  const all = raw.transactions.nodes.map(({ status }) => ({ status: word(STATUSES, status), remote: status }));
  for (const severity of SEVERITY) {
    const found = all.find((transaction) => transaction.status === severity);
    if (found) return found;
  }
  return null;
}
