import { z } from "zod";
import type { ModelName } from "@patchbay/shared";
import type { ProviderChange, VerifiedDelivery, Webhooks } from "../kit/index.ts";
import { idOfType } from "./api.ts";
import { accountKeyOf } from "./resources/shop.ts";
import { isShopDomain } from "./shop-domain.ts";
import { subscriptions } from "./subscriptions.ts";

/**
 * Only the body is signed. Topic, shop and id come in headers that anyone who has seen one delivery could change: every
 * change is a hint, confirmed by a read with the connection's own token.
 */
export const webhooks: Webhooks = {
  // The second family is that of Shopify's newer "events"; its header counts when both are there.
  signature: {
    kind: "body",
    algorithm: "sha256",
    encoding: "base64",
    prefix: "",
    headers: ["shopify-hmac-sha256", "x-shopify-hmac-sha256"],
  },
  keepHeaders: [
    "shopify-handle",
    "shopify-action",
    "shopify-resource-id",
    ...["hmac-sha256", "topic", "shop-domain", "api-version", "webhook-id", "event-id", "triggered-at"].flatMap(
      (name) => [`shopify-${name}`, `x-shopify-${name}`],
    ),
  ],
  appTopics: ["customers/data_request", "customers/redact", "shop/redact"],
  topics: (models) => [...new Set([...ALWAYS, ...models.flatMap((model) => TOPICS[model])])],
  subscriptions,
  parse,
};

/** An update of the parent is sent for its children too, so they need no topics of their own. */
const ALWAYS = ["APP_UNINSTALLED", "APP_SCOPES_UPDATE"];
const PRODUCTS = ["PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE"];
const ORDERS = ["ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_DELETE", "REFUNDS_CREATE"];
const TOPICS: Readonly<Record<ModelName, readonly string[]>> = {
  account: ["SHOP_UPDATE"],
  customer: ["CUSTOMERS_CREATE", "CUSTOMERS_UPDATE", "CUSTOMERS_DELETE", "CUSTOMERS_MERGE"],
  product: PRODUCTS,
  variant: PRODUCTS,
  order: ORDERS,
  refund: ORDERS,
};

type Hint = ProviderChange["hint"];

function parse({ headers, body }: VerifiedDelivery): readonly ProviderChange[] | null {
  const family = headers["shopify-hmac-sha256"] === undefined ? "x-shopify-" : "shopify-";
  const topic = topicOf(headers, family);
  const deliveryId = headers[`${family}webhook-id`];
  const parsed = Body.safeParse(body).data;
  if (topic === null || !deliveryId || parsed === undefined) return null;
  const hints = hintsOf(topic, parsed);
  if (hints === null) return null;
  const accountKey = accountOf(topic, parsed) ?? shopDomainOf(headers[`${family}shop-domain`]);
  // One delivery may tell of two objects; the place within it keeps their keys apart.
  return hints.map((hint, place) => ({
    accountKey,
    dedupeKey: place === 0 ? deliveryId : `${deliveryId}#${place}`,
    topic,
    hint,
  }));
}

/** The newer family splits `orders/updated` into topic and action. */
function topicOf(headers: VerifiedDelivery["headers"], family: string): string | null {
  const topic = headers[`${family}topic`]?.toLowerCase();
  if (topic?.includes("/")) return topic;
  const action = headers[`${family}action`]?.toLowerCase();
  return topic && action ? `${topic}/${action}` : null;
}

/** `null`: a topic we know with a body we do not. */
function hintsOf(topic: string, body: Body): readonly Hint[] | null {
  switch (topic) {
    case "app/uninstalled":
      return [{ kind: "uninstalled" }];
    case "app/scopes_update":
      return [{ kind: "scopes_changed" }];
    case "customers/data_request":
      return [{ kind: "privacy", request: "data_request" }];
    case "customers/redact":
      return [{ kind: "privacy", request: "redact_customer" }];
    case "shop/redact":
      return [{ kind: "privacy", request: "redact_account" }];
    case "shop/update":
      return about("changed", "shop", ownId("Shop", body));
    case "customers/merge":
      return merged(body);
    case "orders/edited":
      return about("changed", "orders", idOf("Order", body.order_edit?.order_id));
    case "orders/delete":
      return about("deleted", "orders", ownId("Order", body));
    case "products/delete":
      return about("deleted", "products", ownId("Product", body));
    case "customers/delete":
      return about("deleted", "customers", ownId("Customer", body));
  }
  switch (topic.slice(0, topic.indexOf("/"))) {
    case "orders":
      return about("changed", "orders", ownId("Order", body));
    case "refunds":
    case "fulfillments":
    case "order_transactions":
      return about("changed", "orders", idOf("Order", body.order_id));
    case "products":
      return about("changed", "products", ownId("Product", body));
    case "variants":
      return about("changed", "products", idOf("Product", body.product_id));
    case "customers":
      return about("changed", "customers", ownId("Customer", body));
    default:
      return [{ kind: "ignored" }];
  }
}

function about(kind: "changed" | "deleted", resource: string, remoteId: string | null): readonly Hint[] | null {
  return remoteId === null ? null : [{ kind, resource, remoteId }];
}

/** The customer that is gone, and the one that took its orders over. */
function merged(body: Body): readonly Hint[] | null {
  const kept = idOfType("Customer", body.admin_graphql_api_id_customer_kept);
  const gone = idOfType("Customer", body.admin_graphql_api_id_customer_deleted);
  if (kept === null || gone === null) return null;
  return [
    { kind: "changed", resource: "customers", remoteId: kept },
    { kind: "deleted", resource: "customers", remoteId: gone },
  ];
}

/** Id of the object that the body is: the global one where there is one, since it needs no care for digits. */
function ownId(type: string, body: Body): string | null {
  return idOfType(type, body.admin_graphql_api_id) ?? idOf(type, body.id);
}

/** A number, the digits of one, or a global id of `type`. */
function idOf(type: string, value: unknown): string | null {
  const text = typeof value === "number" || typeof value === "string" ? String(value) : "";
  return /^[1-9]\d*$/.test(text) ? text : idOfType(type, text);
}

/** Whose delivery it is, by the signed body where that tells. */
function accountOf(topic: string, body: Body): string | null {
  const own = topic === "app/uninstalled" || topic === "shop/update" ? body.id : undefined;
  const shopId = body.shop_id ?? own;
  return shopId === undefined ? null : accountKeyOf(shopId);
}

function shopDomainOf(header: string | undefined): string | null {
  const domain = header?.toLowerCase() ?? "";
  return isShopDomain(domain) ? domain : null;
}

const Id = z.union([z.string(), z.int()]);
const Body = z.looseObject({
  id: Id.optional(),
  admin_graphql_api_id: z.string().nullish(),
  order_id: Id.nullish(),
  product_id: Id.nullish(),
  shop_id: Id.optional(),
  order_edit: z.looseObject({ order_id: Id }).optional(),
  admin_graphql_api_id_customer_kept: z.string().nullish(),
  admin_graphql_api_id_customer_deleted: z.string().nullish(),
});
type Body = z.output<typeof Body>;
