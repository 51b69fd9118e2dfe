import { z } from "zod";
import { currencyExponent } from "@patchbay/shared";
import { defineResource } from "../../kit/index.ts";
import { numericId } from "../api.ts";
import { completeConnections, readByIds, updatedList } from "../lists.ts";
import { CUSTOMER_ADDRESSES, CUSTOMERS, CUSTOMERS_BY_ID, CUSTOMERS_COUNT, EXPANSION } from "../queries.ts";
import {
  adminUrl,
  Beside,
  connectionOf,
  Gid,
  Instant,
  minorUnits,
  Money,
  RawAddress,
  remoteFacts,
  toAddress,
  word,
  wordOrNull,
} from "../raw.ts";

const RawCustomer = z.looseObject({
  ...Beside,
  id: Gid,
  displayName: z.string(),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  locale: z.string(),
  note: z.string().nullable(),
  tags: z.array(z.string()),
  state: z.string(),
  taxExempt: z.boolean(),
  taxExemptions: z.array(z.string()),
  verifiedEmail: z.boolean(),
  // An unsigned 64-bit integer travels as text.
  numberOfOrders: z.string().regex(/^\d{1,15}$/),
  amountSpent: Money,
  defaultEmailAddress: z.looseObject({ emailAddress: z.string(), marketingState: z.string() }).nullable(),
  defaultPhoneNumber: z.looseObject({ phoneNumber: z.string() }).nullable(),
  defaultAddress: RawAddress.nullable(),
  addressesV2: connectionOf(RawAddress),
  createdAt: Instant,
  updatedAt: Instant,
});

const STATES = { ENABLED: "enabled", DISABLED: "disabled", INVITED: "invited", DECLINED: "declined" } as const;
const MARKETING = {
  SUBSCRIBED: "subscribed",
  UNSUBSCRIBED: "unsubscribed",
  NOT_SUBSCRIBED: "not_subscribed",
  PENDING: "pending",
  INVALID: "invalid",
  REDACTED: "redacted",
} as const;

/** Our names of what protected customer data may withhold. */
const DENIABLE = {
  firstName: "firstName",
  lastName: "lastName",
  defaultEmailAddress: "email",
  defaultPhoneNumber: "phone",
  defaultAddress: "defaultAddress",
};

const listing = {
  type: "Customer",
  root: "customers",
  document: CUSTOMERS,
  pageSize: { initial: 100, min: 1, max: 250 },
  itemCost: 0.5,
  count: { document: CUSTOMERS_COUNT, root: "customersCount" },
  expansions: (item: unknown) =>
    completeConnections(item, [{ document: CUSTOMER_ADDRESSES, field: "addressesV2", pageSize: EXPANSION.addresses }]),
};

export const customers = defineResource({
  name: "customers",
  model: "customer",
  childOf: null,
  raw: RawCustomer,
  projectionVersion: 1,
  changes: "updated_since",
  deletions: "webhook",
  overlapSeconds: 60,
  list: updatedList(listing),
  batchRead: readByIds(listing, CUSTOMERS_BY_ID, 50),
  completeChildren: [],
  strictVersion: () => null,
  normalize: (raw) => [
    {
      model: "customer",
      data: {
        ...remoteFacts(raw, adminUrl(raw.shop, `/customers/${numericId(raw.id)}`), { fields: DENIABLE }),
        name: raw.displayName,
        firstName: raw.firstName,
        lastName: raw.lastName,
        companyName: raw.defaultAddress?.company ?? null,
        email: raw.defaultEmailAddress?.emailAddress ?? null,
        emailVerified: raw.verifiedEmail,
        phone: raw.defaultPhoneNumber?.phoneNumber ?? null,
        locale: raw.locale,
        currency: raw.amountSpent.currencyCode,
        currencyExponent: currencyExponent(raw.amountSpent.currencyCode),
        addresses: raw.addressesV2.nodes.flatMap((address) => toAddress(address, "other") ?? []),
        defaultAddress: toAddress(raw.defaultAddress, "primary"),
        note: raw.note,
        tags: raw.tags,
        state: word(STATES, raw.state),
        stateRemote: raw.state,
        emailMarketing: wordOrNull(MARKETING, raw.defaultEmailAddress?.marketingState ?? null),
        emailMarketingRemote: raw.defaultEmailAddress?.marketingState ?? null,
        taxExempt: raw.taxExempt ? "exempt" : "none",
        taxExemptRemote: String(raw.taxExempt),
        taxExemptions: raw.taxExemptions,
        ordersCount: Number(raw.numberOfOrders),
        totalSpentAmount: minorUnits(raw.amountSpent),
      },
    },
  ],
});
