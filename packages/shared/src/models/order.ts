import { z } from "zod";
import { Address } from "./address.ts";
import { type BaseRecord, baseRecordShape, type RemoteFacts, remoteFactsShape } from "./base.ts";
import { OrderLine } from "./order-line.ts";
import { currencyCode, exponent, instant, minorUnits, text } from "./shapes.ts";

/**
 * A sale. Amounts are minor units of `currency`, the account's own; what the buyer saw in another currency stands in
 * `presentment`.
 *
 * `totalAmount` and its parts say what was sold, after edits and before returns; `current…` what is left after
 * returns; `refundedAmount` what was paid back.
 */
export interface OrderFields {
  /** Number within the shop, without decoration. */
  readonly number: string | null;
  /** As people see it, such as `#1001`. */
  readonly name: string | null;
  readonly confirmationNumber: string | null;
  /** The buyer's purchase order. */
  readonly poNumber: string | null;
  readonly status: OrderStatus;
  readonly cancelReason: CancelReason | null;
  readonly cancelReasonRemote: string | null;
  readonly financialStatus: FinancialStatus | null;
  readonly financialStatusRemote: string | null;
  readonly fulfillmentStatus: OrderFulfillmentStatus | null;
  readonly fulfillmentStatusRemote: string | null;
  readonly returnStatus: ReturnStatus | null;
  readonly returnStatusRemote: string | null;
  /** The customer's record; `null` for a guest. */
  readonly customerId: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly locale: string | null;
  readonly currency: string;
  readonly currencyExponent: number;
  /** `null` when the buyer paid in `currency`. */
  readonly presentment: OrderPresentment | null;
  /** Lines after all discounts; before shipping, and before tax unless `taxesIncluded`. */
  readonly subtotalAmount: number | null;
  /** All discounts: on lines, on the order, on shipping. */
  readonly discountAmount: number | null;
  readonly shippingAmount: number | null;
  readonly taxAmount: number | null;
  /** Whether line prices and `subtotalAmount` hold the tax already. */
  readonly taxesIncluded: boolean | null;
  readonly tipAmount: number | null;
  readonly dutiesAmount: number | null;
  readonly feesAmount: number | null;
  readonly totalAmount: number;
  /** Before any edit of the order. */
  readonly originalTotalAmount: number | null;
  readonly currentSubtotalAmount: number | null;
  readonly currentDiscountAmount: number | null;
  readonly currentTaxAmount: number | null;
  readonly currentTotalAmount: number | null;
  readonly refundedAmount: number | null;
  /** Received, before refunds. */
  readonly paidAmount: number | null;
  /** `paidAmount` − `refundedAmount`. */
  readonly netPaidAmount: number | null;
  /** Still to pay. */
  readonly outstandingAmount: number | null;
  readonly discountCodes: readonly string[];
  readonly taxLines: readonly TaxLine[];
  readonly shippingLines: readonly ShippingLine[];
  readonly billingAddress: Address | null;
  readonly shippingAddress: Address | null;
  /** Where it was placed, in the provider's words, such as `web` or `pos`. */
  readonly source: string | null;
  readonly paymentGateways: readonly string[];
  readonly tags: readonly string[];
  readonly note: string | null;
  readonly attributes: Readonly<Record<string, string | null>>;
  readonly placedAt: string | null;
  readonly canceledAt: string | null;
  readonly closedAt: string | null;
  readonly lines: readonly OrderLine[];
  /** Ids of the refunds' records, oldest first. */
  readonly refundIds: readonly string[];
}

/** The totals in the currency that the buyer saw. */
export interface OrderPresentment {
  readonly currency: string;
  readonly currencyExponent: number;
  readonly subtotalAmount: number | null;
  readonly discountAmount: number | null;
  readonly shippingAmount: number | null;
  readonly taxAmount: number | null;
  readonly totalAmount: number;
  readonly currentTotalAmount: number | null;
  readonly refundedAmount: number | null;
}

export interface TaxLine {
  readonly title: string;
  /** 0.19 for 19 %. */
  readonly rate: number | null;
  readonly amount: number;
  /** Who computed it. */
  readonly source: string | null;
}

export interface ShippingLine {
  readonly remoteId: string | null;
  readonly title: string;
  readonly code: string | null;
  readonly carrier: string | null;
  readonly amount: number;
  readonly discountedAmount: number;
}

const ORDER_STATUSES = ["open", "closed", "canceled", "unknown"] as const;
const CANCEL_REASONS = ["customer", "fraud", "inventory", "declined", "staff", "other", "unknown"] as const;
const FINANCIAL_STATUSES = [
  "pending",
  "authorized",
  "partially_paid",
  "paid",
  "partially_refunded",
  "refunded",
  "voided",
  "expired",
  "unknown",
] as const;
const FULFILLMENT_STATUSES = [
  "unfulfilled",
  "scheduled",
  "on_hold",
  "in_progress",
  "partially_fulfilled",
  "fulfilled",
  "not_required",
  "restocked",
  "request_declined",
  "unknown",
] as const;
const RETURN_STATUSES = [
  "no_return",
  "return_requested",
  "in_progress",
  "inspection_complete",
  "returned",
  "return_failed",
  "unknown",
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];
export type CancelReason = (typeof CANCEL_REASONS)[number];
export type FinancialStatus = (typeof FINANCIAL_STATUSES)[number];
export type OrderFulfillmentStatus = (typeof FULFILLMENT_STATUSES)[number];
export type ReturnStatus = (typeof RETURN_STATUSES)[number];

export interface NormalizedOrder extends RemoteFacts, OrderFields {}
export interface Order extends BaseRecord, OrderFields {
  readonly object: "order";
}

const OrderPresentment: z.ZodType<OrderPresentment> = z.strictObject({
  currency: currencyCode,
  currencyExponent: exponent,
  subtotalAmount: minorUnits.nullable(),
  discountAmount: minorUnits.nullable(),
  shippingAmount: minorUnits.nullable(),
  taxAmount: minorUnits.nullable(),
  totalAmount: minorUnits,
  currentTotalAmount: minorUnits.nullable(),
  refundedAmount: minorUnits.nullable(),
});

const fields = {
  number: text,
  name: text,
  confirmationNumber: text,
  poNumber: text,
  status: z.enum(ORDER_STATUSES),
  cancelReason: z.enum(CANCEL_REASONS).nullable(),
  cancelReasonRemote: text,
  financialStatus: z.enum(FINANCIAL_STATUSES).nullable(),
  financialStatusRemote: text,
  fulfillmentStatus: z.enum(FULFILLMENT_STATUSES).nullable(),
  fulfillmentStatusRemote: text,
  returnStatus: z.enum(RETURN_STATUSES).nullable(),
  returnStatusRemote: text,
  customerId: text,
  email: text,
  phone: text,
  locale: text,
  currency: currencyCode,
  currencyExponent: exponent,
  presentment: OrderPresentment.nullable(),
  subtotalAmount: minorUnits.nullable(),
  discountAmount: minorUnits.nullable(),
  shippingAmount: minorUnits.nullable(),
  taxAmount: minorUnits.nullable(),
  taxesIncluded: z.boolean().nullable(),
  tipAmount: minorUnits.nullable(),
  dutiesAmount: minorUnits.nullable(),
  feesAmount: minorUnits.nullable(),
  totalAmount: minorUnits,
  originalTotalAmount: minorUnits.nullable(),
  currentSubtotalAmount: minorUnits.nullable(),
  currentDiscountAmount: minorUnits.nullable(),
  currentTaxAmount: minorUnits.nullable(),
  currentTotalAmount: minorUnits.nullable(),
  refundedAmount: minorUnits.nullable(),
  paidAmount: minorUnits.nullable(),
  netPaidAmount: minorUnits.nullable(),
  outstandingAmount: minorUnits.nullable(),
  discountCodes: z.array(z.string()),
  taxLines: z.array(
    z.strictObject({ title: z.string(), rate: z.number().nullable(), amount: minorUnits, source: text }),
  ),
  shippingLines: z.array(
    z.strictObject({
      remoteId: text,
      title: z.string(),
      code: text,
      carrier: text,
      amount: minorUnits,
      discountedAmount: minorUnits,
    }),
  ),
  billingAddress: Address.nullable(),
  shippingAddress: Address.nullable(),
  source: text,
  paymentGateways: z.array(z.string()),
  tags: z.array(z.string()),
  note: text,
  attributes: z.record(z.string(), z.string().nullable()),
  placedAt: instant.nullable(),
  canceledAt: instant.nullable(),
  closedAt: instant.nullable(),
  lines: z.array(OrderLine),
  refundIds: z.array(z.string()),
};

export const NormalizedOrder: z.ZodType<NormalizedOrder> = z.strictObject({ ...remoteFactsShape, ...fields });
export const Order: z.ZodType<Order> = z
  .strictObject({ ...baseRecordShape, ...fields, object: z.literal("order") })
  .meta({ id: "Order" });
