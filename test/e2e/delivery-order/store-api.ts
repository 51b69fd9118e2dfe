import type { Sandbox } from "@patchbay/sandbox";
import { SHOP } from "./webhook-post.ts";

/** A second app in the store, which asks it through the Admin API what is true. */
export interface StoreApi {
  order(id: bigint): Promise<OrderTruth>;
  product(id: bigint): Promise<ProductTruth | null>;
  customer(id: bigint): Promise<{ readonly note: string | null } | null>;
}

interface Money {
  readonly shopMoney: { readonly amount: string };
}
export interface OrderTruth {
  readonly note: string | null;
  readonly cancelledAt: string | null;
  readonly displayFulfillmentStatus: string;
  readonly totalPriceSet: Money;
  readonly totalTaxSet: Money;
  readonly currentTotalPriceSet: Money;
  readonly totalRefundedSet: Money;
  readonly lineItems: {
    readonly nodes: readonly {
      readonly id: string;
      readonly title: string;
      readonly quantity: number;
      readonly currentQuantity: number;
      readonly originalUnitPriceSet: Money;
    }[];
  };
  readonly refunds: readonly {
    readonly id: string;
    readonly totalRefundedSet: Money;
    readonly refundLineItems: {
      readonly nodes: readonly { readonly quantity: number; readonly lineItem: { readonly id: string } }[];
    };
  }[];
}
export interface ProductTruth {
  readonly title: string;
  readonly variants: { readonly nodes: readonly { readonly id: string; readonly price: string }[] };
}

const APP = { clientId: "truth-app", clientSecret: "truth-secret-0001", redirectUris: ["http://localhost:1/callback"] };
const SCOPES = "read_all_orders,read_customers,read_orders,read_products";
const MONEY = "{ shopMoney { amount } }";

export async function openStoreApi(sandbox: Sandbox): Promise<StoreApi> {
  sandbox.shopify.registerApp(APP);
  const base = `${sandbox.url}/_shops/${SHOP}/admin`;
  const token = await install(base);
  const ask = async (query: string, id: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${base}/api/2026-10/graphql.json`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-shopify-access-token": token },
      body: JSON.stringify({ query, variables: { id } }),
    });
    const { data, errors } = (await response.json()) as { data?: Record<string, unknown>; errors?: unknown };
    if (data === undefined || errors !== undefined) throw new Error(`the store refused: ${JSON.stringify(errors)}`);
    return data;
  };
  return {
    order: async (id) => (await ask(ORDER, `gid://shopify/Order/${id}`))["order"] as OrderTruth,
    product: async (id) => (await ask(PRODUCT, `gid://shopify/Product/${id}`))["product"] as ProductTruth | null,
    customer: async (id) =>
      (await ask(CUSTOMER, `gid://shopify/Customer/${id}`))["customer"] as { note: string | null } | null,
  };
}

/** `"12.3"` → 1230: the store's currency has cents. */
export function cents(money: Money | string): number {
  const [whole = "", fraction = ""] = (typeof money === "string" ? money : money.shopMoney.amount).split(".");
  return Number(whole + fraction.padEnd(2, "0"));
}

const ORDER = `query ($id: ID!) { order(id: $id) {
  note cancelledAt displayFulfillmentStatus
  totalPriceSet ${MONEY} totalTaxSet ${MONEY} currentTotalPriceSet ${MONEY} totalRefundedSet ${MONEY}
  lineItems(first: 100) { nodes { id title quantity currentQuantity originalUnitPriceSet ${MONEY} } }
  refunds(first: 3) { id totalRefundedSet ${MONEY} refundLineItems(first: 60) { nodes { quantity lineItem { id } } } }
} }`;
const PRODUCT = "query ($id: ID!) { product(id: $id) { title variants(first: 20) { nodes { id price } } } }";
const CUSTOMER = "query ($id: ID!) { customer(id: $id) { note } }";

async function install(base: string): Promise<string> {
  const [redirectUri = ""] = APP.redirectUris;
  const query = new URLSearchParams({ client_id: APP.clientId, scope: SCOPES, redirect_uri: redirectUri, state: "s" });
  const consent = await fetch(`${base}/oauth/authorize?${query}`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ decision: "install" }),
  });
  const code = new URL(consent.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const answer = await fetch(`${base}/oauth/access_token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: APP.clientId, client_secret: APP.clientSecret, code }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return token;
}
