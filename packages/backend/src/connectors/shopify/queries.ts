/**
 * Every GraphQL operation this connector sends, against Admin API 2026-10, without a deprecated field.
 * `test/contract/shopify-connector.test.ts` validates each one against the schema.
 */

/** Children that a page carries inline. Longer lists are completed by expansions. */
export const INLINE = { addresses: 10, variants: 20, lineItems: 10, shippingLines: 5, refunds: 3, refundLineItems: 10 };
/** Page size of an expansion. */
export const EXPANSION = { addresses: 50, variants: 50, lineItems: 50, shippingLines: 50, refundLineItems: 50 };
/** `Order.refunds` is a plain list without cursors: an expansion asks for all that can reasonably be. */
export const REFUNDS_MAX = 100;

/** Read beside every page: variants have prices without a currency, links need the domain. */
const SHOP_FACTS = "shop { currencyCode myshopifyDomain }";
const PAGE_INFO = "pageInfo { hasNextPage endCursor }";
const MONEY = "shopMoney { amount currencyCode }";
const BOTH_MONEY = "shopMoney { amount currencyCode } presentmentMoney { amount currencyCode }";
const ADDRESS = `
  name firstName lastName company address1 address2 city province provinceCode zip country countryCodeV2 phone`;

const SHOP = `
  id name myshopifyDomain contactEmail currencyCode ianaTimezone
  primaryDomain { url } plan { publicDisplayName partnerDevelopment } createdAt updatedAt`;

export const SHOP_IDENTITY = `query ShopIdentity {
  shop { ${SHOP} }
  currentAppInstallation { accessScopes { handle } }
}`;

export const SHOP_ACCOUNT = `query ShopAccount { shop { ${SHOP} } }`;

const CUSTOMER = `
  id displayName firstName lastName locale note tags state taxExempt taxExemptions verifiedEmail
  numberOfOrders amountSpent { amount currencyCode }
  defaultEmailAddress { emailAddress marketingState }
  defaultPhoneNumber { phoneNumber }
  defaultAddress { ${ADDRESS} }
  addressesV2(first: ${INLINE.addresses}) { nodes { ${ADDRESS} } ${PAGE_INFO} }
  createdAt updatedAt`;

export const CUSTOMERS = `query Customers($first: Int!, $after: String, $query: String) {
  customers(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) { nodes { ${CUSTOMER} } ${PAGE_INFO} }
  ${SHOP_FACTS}
}`;

export const CUSTOMERS_BY_ID = `query CustomersById($ids: [ID!]!) {
  nodes(ids: $ids) { id ... on Customer { ${CUSTOMER} } }
  ${SHOP_FACTS}
}`;

export const CUSTOMERS_COUNT = `query CustomersCount { customersCount(limit: null) { count precision } }`;

export const CUSTOMER_ADDRESSES = `query CustomerAddresses($ids: [ID!]!, $first: Int!, $after: String) {
  nodes(ids: $ids) { ... on Customer { addressesV2(first: $first, after: $after) { nodes { ${ADDRESS} } ${PAGE_INFO} } } }
}`;

const VARIANT = `
  id title displayName sku barcode position price compareAtPrice taxable availableForSale
  inventoryPolicy inventoryQuantity selectedOptions { name value }
  inventoryItem { id requiresShipping unitCost { amount currencyCode } measurement { weight { value unit } } }
  createdAt updatedAt`;

const PRODUCT = `
  id title handle description descriptionHtml vendor productType status tags isGiftCard hasOnlyDefaultVariant
  totalInventory tracksInventory onlineStoreUrl publishedAt
  options { name optionValues { name } }
  featuredMedia { alt preview { image { url } } }
  variants(first: ${INLINE.variants}) { nodes { ${VARIANT} } ${PAGE_INFO} }
  createdAt updatedAt`;

export const PRODUCTS = `query Products($first: Int!, $after: String, $query: String) {
  products(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) { nodes { ${PRODUCT} } ${PAGE_INFO} }
  ${SHOP_FACTS}
}`;

export const PRODUCTS_BY_ID = `query ProductsById($ids: [ID!]!) {
  nodes(ids: $ids) { id ... on Product { ${PRODUCT} } }
  ${SHOP_FACTS}
}`;

export const PRODUCTS_COUNT = `query ProductsCount { productsCount(limit: null) { count precision } }`;

export const PRODUCT_VARIANTS = `query ProductVariants($ids: [ID!]!, $first: Int!, $after: String) {
  nodes(ids: $ids) { ... on Product { variants(first: $first, after: $after) { nodes { ${VARIANT} } ${PAGE_INFO} } } }
}`;

const LINE_ITEM = `
  id title variantTitle name sku vendor quantity currentQuantity unfulfilledQuantity
  taxable requiresShipping isGiftCard product { id } variant { id }
  originalUnitPriceSet { ${MONEY} } discountedUnitPriceSet { ${MONEY} }
  originalTotalSet { ${MONEY} } discountedTotalSet { ${MONEY} }
  discountAllocations { allocatedAmountSet { ${MONEY} } }
  taxLines { priceSet { ${MONEY} } }
  customAttributes { key value }`;

const SHIPPING_LINE = `
  id title code carrierIdentifier originalPriceSet { ${MONEY} } discountedPriceSet { ${MONEY} }`;

const REFUND_LINE_ITEM = `
  quantity restockType lineItem { id } subtotalSet { ${MONEY} } totalTaxSet { ${MONEY} }`;

const REFUND = `
  id note createdAt updatedAt processedAt
  totalRefundedSet { ${BOTH_MONEY} }
  refundLineItems(first: ${INLINE.refundLineItems}) { nodes { ${REFUND_LINE_ITEM} } ${PAGE_INFO} }
  transactions(first: 10) { nodes { status errorCode } }
  orderAdjustments(first: 10) { nodes { id reason amountSet { ${MONEY} } taxAmountSet { ${MONEY} } } }`;

const ORDER = `
  id number name confirmationNumber poNumber email phone customerLocale note tags test closed taxesIncluded
  sourceName paymentGatewayNames discountCodes customAttributes { key value }
  displayFinancialStatus displayFulfillmentStatus returnStatus cancelReason
  currencyCode presentmentCurrencyCode
  createdAt updatedAt processedAt closedAt cancelledAt
  customer { id }
  billingAddress { ${ADDRESS} } shippingAddress { ${ADDRESS} }
  subtotalPriceSet { ${BOTH_MONEY} } totalDiscountsSet { ${BOTH_MONEY} } totalShippingPriceSet { ${BOTH_MONEY} }
  totalTaxSet { ${BOTH_MONEY} } totalPriceSet { ${BOTH_MONEY} } currentTotalPriceSet { ${BOTH_MONEY} }
  totalRefundedSet { ${BOTH_MONEY} }
  totalTipReceivedSet { ${MONEY} } originalTotalDutiesSet { ${MONEY} } originalTotalAdditionalFeesSet { ${MONEY} }
  originalTotalPriceSet { ${MONEY} }
  currentSubtotalPriceSet { ${MONEY} } currentTotalDiscountsSet { ${MONEY} } currentTotalTaxSet { ${MONEY} }
  totalReceivedSet { ${MONEY} } netPaymentSet { ${MONEY} } totalOutstandingSet { ${MONEY} }
  taxLines { title rate source priceSet { ${MONEY} } }
  shippingLines(first: ${INLINE.shippingLines}) { nodes { ${SHIPPING_LINE} } ${PAGE_INFO} }
  lineItems(first: ${INLINE.lineItems}) { nodes { ${LINE_ITEM} } ${PAGE_INFO} }
  refunds(first: ${INLINE.refunds}) { ${REFUND} }`;

export const ORDERS = `query Orders($first: Int!, $after: String, $query: String) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) { nodes { ${ORDER} } ${PAGE_INFO} }
  ${SHOP_FACTS}
}`;

export const ORDERS_BY_ID = `query OrdersById($ids: [ID!]!) {
  nodes(ids: $ids) { id ... on Order { ${ORDER} } }
  ${SHOP_FACTS}
}`;

export const ORDERS_COUNT = `query OrdersCount { ordersCount(limit: null) { count precision } }`;

export const ORDER_LINE_ITEMS = `query OrderLineItems($ids: [ID!]!, $first: Int!, $after: String) {
  nodes(ids: $ids) { ... on Order { lineItems(first: $first, after: $after) { nodes { ${LINE_ITEM} } ${PAGE_INFO} } } }
}`;

export const ORDER_SHIPPING_LINES = `query OrderShippingLines($ids: [ID!]!, $first: Int!, $after: String) {
  nodes(ids: $ids) { ... on Order {
    shippingLines(first: $first, after: $after) { nodes { ${SHIPPING_LINE} } ${PAGE_INFO} }
  } }
}`;

export const ORDER_REFUNDS = `query OrderRefunds($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Order { refunds(first: ${REFUNDS_MAX}) { ${REFUND} } } }
}`;

export const REFUND_LINE_ITEMS = `query RefundLineItems($ids: [ID!]!, $first: Int!, $after: String) {
  nodes(ids: $ids) { ... on Refund {
    refundLineItems(first: $first, after: $after) { nodes { ${REFUND_LINE_ITEM} } ${PAGE_INFO} }
  } }
}`;

export const WEBHOOK_SUBSCRIPTIONS = `query WebhookSubscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) { nodes { id topic uri } ${PAGE_INFO} }
}`;

export const WEBHOOK_SUBSCRIPTION_CREATE = `mutation WebhookSubscriptionCreate(
  $topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!
) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
    webhookSubscription { id } userErrors { field message }
  }
}`;

export const WEBHOOK_SUBSCRIPTION_DELETE = `mutation WebhookSubscriptionDelete($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}`;

export const APP_UNINSTALL = `mutation AppUninstall { appUninstall { userErrors { field message } } }`;
