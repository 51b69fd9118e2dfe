import { z } from "zod";
import { type BaseRecord, baseRecordShape, type RemoteFacts, remoteFactsShape } from "./base.ts";
import { currencyCode, exponent, instant, minorUnits, text } from "./shapes.ts";

/** Money given back, with what it was given back for. Amounts are in `currency`. */
export interface RefundFields {
  /** The order's record. */
  readonly orderId: string | null;
  readonly customerId: string | null;
  readonly currency: string;
  readonly currencyExponent: number;
  /** What the buyer got back; 0 when goods were only restocked. */
  readonly amount: number;
  /** `null` when the buyer paid in `currency`. */
  readonly presentment: RefundPresentment | null;
  /** The worst of its money movements; one without any has succeeded. */
  readonly status: RefundStatus;
  readonly statusRemote: string | null;
  readonly failureReason: string | null;
  readonly note: string | null;
  readonly lines: readonly RefundLine[];
  /** Differences between `lines` and `amount`, such as shipping or goodwill. */
  readonly adjustments: readonly RefundAdjustment[];
  readonly processedAt: string | null;
}

export interface RefundPresentment {
  readonly currency: string;
  readonly currencyExponent: number;
  readonly amount: number;
}

export interface RefundLine {
  /** `remoteId` of the order's line. */
  readonly orderLineRemoteId: string;
  readonly quantity: number;
  readonly subtotalAmount: number | null;
  readonly taxAmount: number | null;
  readonly restockType: RestockType | null;
  readonly restockTypeRemote: string | null;
}

export interface RefundAdjustment {
  readonly remoteId: string;
  readonly reason: string | null;
  readonly amount: number;
  readonly taxAmount: number;
}

const REFUND_STATUSES = ["pending", "requires_action", "succeeded", "failed", "canceled", "unknown"] as const;
const RESTOCK_TYPES = ["return", "cancel", "no_restock", "legacy_restock", "unknown"] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];
export type RestockType = (typeof RESTOCK_TYPES)[number];

export interface NormalizedRefund extends RemoteFacts, RefundFields {}
export interface Refund extends BaseRecord, RefundFields {
  readonly object: "refund";
}

const fields = {
  orderId: text,
  customerId: text,
  currency: currencyCode,
  currencyExponent: exponent,
  amount: minorUnits,
  presentment: z.strictObject({ currency: currencyCode, currencyExponent: exponent, amount: minorUnits }).nullable(),
  status: z.enum(REFUND_STATUSES),
  statusRemote: text,
  failureReason: text,
  note: text,
  lines: z.array(
    z.strictObject({
      orderLineRemoteId: z.string(),
      quantity: z.int(),
      subtotalAmount: minorUnits.nullable(),
      taxAmount: minorUnits.nullable(),
      restockType: z.enum(RESTOCK_TYPES).nullable(),
      restockTypeRemote: text,
    }),
  ),
  adjustments: z.array(
    z.strictObject({ remoteId: z.string(), reason: text, amount: minorUnits, taxAmount: minorUnits }),
  ),
  processedAt: instant.nullable(),
};

export const NormalizedRefund: z.ZodType<NormalizedRefund> = z.strictObject({ ...remoteFactsShape, ...fields });
export const Refund: z.ZodType<Refund> = z
  .strictObject({ ...baseRecordShape, ...fields, object: z.literal("refund") })
  .meta({ id: "Refund" });
