/**
 * The state of one emulated store. Plain data only (no functions), so that the whole world can be written to a file
 * and read back. Ids are bigint: some stores hand out ids beyond 2^53, as Shopify may.
 */

/** One amount in minor units of the shop's currency and of the currency the buyer saw. */
export interface Bag {
  readonly shop: number;
  readonly presentment: number;
}

export interface Address {
  readonly id: bigint;
  readonly firstName: string;
  readonly lastName: string;
  readonly company: string | null;
  readonly address1: string;
  readonly address2: string | null;
  readonly city: string;
  readonly province: string | null;
  readonly provinceCode: string | null;
  readonly country: string;
  readonly countryCode: string;
  readonly zip: string;
  readonly phone: string | null;
}

export interface Customer {
  readonly id: bigint;
  firstName: string | null;
  lastName: string | null;
  email: string | null;
  phone: string | null;
  locale: string;
  note: string | null;
  tags: string[];
  state: "DECLINED" | "DISABLED" | "ENABLED" | "INVITED";
  verifiedEmail: boolean;
  taxExempt: boolean;
  marketing: "NOT_SUBSCRIBED" | "SUBSCRIBED" | "UNSUBSCRIBED";
  addresses: Address[];
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface InventoryLevel {
  readonly locationId: bigint;
  available: number;
  committed: number;
  incoming: number;
  reserved: number;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface Variant {
  readonly id: bigint;
  title: string;
  sku: string | null;
  barcode: string | null;
  /** Minor units of the shop's currency. */
  price: number;
  compareAtPrice: number | null;
  readonly position: number;
  taxable: boolean;
  inventoryPolicy: "CONTINUE" | "DENY";
  readonly selectedOptions: readonly { readonly name: string; readonly value: string }[];
  readonly item: {
    readonly id: bigint;
    tracked: boolean;
    readonly requiresShipping: boolean;
    readonly cost: number | null;
    readonly grams: number;
    readonly createdAt: Date;
    updatedAt: Date;
    readonly levels: InventoryLevel[];
  };
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface Product {
  readonly id: bigint;
  title: string;
  handle: string;
  descriptionHtml: string;
  vendor: string;
  productType: string;
  status: "ACTIVE" | "ARCHIVED" | "DRAFT" | "UNLISTED";
  tags: string[];
  readonly isGiftCard: boolean;
  readonly options: readonly {
    readonly id: bigint;
    readonly name: string;
    readonly values: readonly { readonly id: bigint; readonly name: string }[];
  }[];
  readonly mediaId: bigint;
  readonly variants: Variant[];
  publishedAt: Date | null;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface Location {
  readonly id: bigint;
  readonly name: string;
  readonly isActive: boolean;
  readonly address: Address;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deactivatedAt: Date | null;
}

export interface LineItem {
  readonly id: bigint;
  /** Null once the product is gone, or for a custom line. */
  productId: bigint | null;
  variantId: bigint | null;
  readonly title: string;
  readonly variantTitle: string | null;
  readonly sku: string | null;
  readonly vendor: string | null;
  readonly quantity: number;
  /** Units an order edit took away again. */
  removedByEdit: number;
  readonly addedByEdit: boolean;
  readonly unit: Bag;
  /** Discount on the whole line. */
  readonly discount: Bag;
  readonly taxable: boolean;
  readonly isGiftCard: boolean;
  readonly requiresShipping: boolean;
  readonly grams: number;
}

export interface Transaction {
  readonly id: bigint;
  readonly kind: "AUTHORIZATION" | "CAPTURE" | "REFUND" | "SALE" | "VOID";
  readonly status: "FAILURE" | "PENDING" | "SUCCESS";
  readonly gateway: string;
  readonly amount: Bag;
  readonly parentId: bigint | null;
  readonly createdAt: Date;
}

export type RestockType = "CANCEL" | "LEGACY_RESTOCK" | "NO_RESTOCK" | "RETURN";

export interface RefundLine {
  readonly id: bigint;
  readonly lineItemId: bigint;
  readonly quantity: number;
  readonly restockType: RestockType;
  readonly locationId: bigint | null;
  readonly subtotal: Bag;
  readonly tax: Bag;
}

export interface Refund {
  readonly id: bigint;
  readonly note: string | null;
  readonly createdAt: Date;
  readonly lines: readonly RefundLine[];
  readonly shipping: Bag;
  /** What the paid-out amount differs from the value of the lines; null when it does not. Negative: more was paid out. */
  readonly adjustment: { readonly id: bigint; readonly amount: Bag } | null;
  readonly transactionIds: readonly bigint[];
}

export interface Fulfillment {
  readonly id: bigint;
  readonly name: string;
  readonly locationId: bigint;
  readonly status: "CANCELLED" | "SUCCESS";
  readonly displayStatus: "DELIVERED" | "FULFILLED" | "IN_TRANSIT";
  readonly tracking: { readonly company: string; readonly number: string; readonly url: string } | null;
  readonly lines: readonly { readonly id: bigint; readonly lineItemId: bigint; readonly quantity: number }[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Order {
  readonly id: bigint;
  readonly number: number;
  readonly confirmationNumber: string;
  customerId: bigint | null;
  email: string | null;
  phone: string | null;
  note: string | null;
  tags: string[];
  poNumber: string | null;
  customAttributes: { key: string; value: string }[];
  readonly test: boolean;
  readonly currency: string;
  readonly presentmentCurrency: string;
  readonly taxesIncluded: boolean;
  readonly tax: { readonly title: string; readonly rate: number };
  readonly sourceName: string;
  readonly discountCode: string | null;
  readonly gateway: string;
  edited: boolean;
  readonly lines: LineItem[];
  readonly shipping: { readonly id: bigint; readonly title: string; readonly price: Bag } | null;
  readonly transactions: Transaction[];
  readonly refunds: Refund[];
  readonly fulfillments: Fulfillment[];
  readonly fulfillmentOrderId: bigint;
  readonly locationId: bigint;
  readonly billingAddress: Address | null;
  shippingAddress: Address | null;
  readonly createdAt: Date;
  updatedAt: Date;
  closedAt: Date | null;
  cancelledAt: Date | null;
  cancelReason: "CUSTOMER" | "DECLINED" | "FRAUD" | "INVENTORY" | "OTHER" | "STAFF" | null;
}

/** What a store is, before anything happens in it. */
export interface ShopProfile {
  readonly domain: string;
  readonly id: bigint;
  readonly name: string;
  readonly email: string;
  readonly owner: string;
  readonly currency: string;
  /** Currencies buyers may pay in, with how many of them one unit of the shop's currency buys. */
  readonly presentment: readonly { readonly currency: string; readonly rate: number }[];
  readonly country: string;
  readonly countryCode: string;
  readonly timezone: string;
  readonly taxesIncluded: boolean;
  readonly tax: { readonly title: string; readonly rate: number };
  readonly plan: string;
  /** First id handed out; the rest follow in steps. */
  readonly firstId: bigint;
}

export interface Catalog {
  readonly profile: ShopProfile;
  nextId: bigint;
  nextOrderNumber: number;
  readonly locations: Map<bigint, Location>;
  readonly customers: Map<bigint, Customer>;
  readonly products: Map<bigint, Product>;
  readonly orders: Map<bigint, Order>;
  readonly createdAt: Date;
}
