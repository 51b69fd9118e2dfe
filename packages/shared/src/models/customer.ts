import { z } from "zod";
import { Address } from "./address.ts";
import { type BaseRecord, baseRecordShape, type RemoteFacts, remoteFactsShape } from "./base.ts";
import { currencyCode, exponent, minorUnits, text } from "./shapes.ts";

/** A buyer. */
export interface CustomerFields {
  /** As the provider shows it; it may fall back to the e-mail address. */
  readonly name: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly companyName: string | null;
  /** As the provider holds it; case is not changed. */
  readonly email: string | null;
  readonly emailVerified: boolean | null;
  readonly phone: string | null;
  /** BCP 47, such as `en-US`. */
  readonly locale: string | null;
  readonly currency: string | null;
  readonly currencyExponent: number | null;
  readonly addresses: readonly Address[];
  readonly defaultAddress: Address | null;
  readonly note: string | null;
  readonly tags: readonly string[];
  /** Of the customer's login at the shop. */
  readonly state: CustomerState | null;
  readonly stateRemote: string | null;
  readonly emailMarketing: MarketingState | null;
  readonly emailMarketingRemote: string | null;
  readonly taxExempt: TaxExempt | null;
  readonly taxExemptRemote: string | null;
  /** The provider's codes of exemptions. */
  readonly taxExemptions: readonly string[];
  readonly ordersCount: number | null;
  /** Over all orders, in `currency`. */
  readonly totalSpentAmount: number | null;
}

const CUSTOMER_STATES = ["enabled", "disabled", "invited", "declined", "unknown"] as const;
const MARKETING_STATES = [
  "subscribed",
  "unsubscribed",
  "not_subscribed",
  "pending",
  "invalid",
  "redacted",
  "unknown",
] as const;
const TAX_EXEMPT = ["none", "exempt", "reverse", "unknown"] as const;
export type CustomerState = (typeof CUSTOMER_STATES)[number];
export type MarketingState = (typeof MARKETING_STATES)[number];
export type TaxExempt = (typeof TAX_EXEMPT)[number];

export interface NormalizedCustomer extends RemoteFacts, CustomerFields {}
export interface Customer extends BaseRecord, CustomerFields {
  readonly object: "customer";
}

const fields = {
  name: text,
  firstName: text,
  lastName: text,
  companyName: text,
  email: text,
  emailVerified: z.boolean().nullable(),
  phone: text,
  locale: text,
  currency: currencyCode.nullable(),
  currencyExponent: exponent.nullable(),
  addresses: z.array(Address),
  defaultAddress: Address.nullable(),
  note: text,
  tags: z.array(z.string()),
  state: z.enum(CUSTOMER_STATES).nullable(),
  stateRemote: text,
  emailMarketing: z.enum(MARKETING_STATES).nullable(),
  emailMarketingRemote: text,
  taxExempt: z.enum(TAX_EXEMPT).nullable(),
  taxExemptRemote: text,
  taxExemptions: z.array(z.string()),
  ordersCount: z.int().min(0).nullable(),
  totalSpentAmount: minorUnits.nullable(),
};

export const NormalizedCustomer: z.ZodType<NormalizedCustomer> = z.strictObject({ ...remoteFactsShape, ...fields });
export const Customer: z.ZodType<Customer> = z
  .strictObject({ ...baseRecordShape, ...fields, object: z.literal("customer") })
  .meta({ id: "Customer" });
