import { defineConnector } from "../kit/index.ts";
import { API_VERSION, write } from "./api.ts";
import { oauth2, origin, scopes } from "./auth.ts";
import { clientCredentials, customApp } from "./direct-auth.ts";
import { classify, observe } from "./errors.ts";
import { APP_UNINSTALL } from "./queries.ts";
import { customers } from "./resources/customers.ts";
import { orders } from "./resources/orders.ts";
import { products } from "./resources/products.ts";
import { refunds } from "./resources/refunds.ts";
import { identity, shop } from "./resources/shop.ts";
import { variants } from "./resources/variants.ts";
import { shopParameter } from "./shop-domain.ts";
import { webhooks } from "./webhooks.ts";

export const shopify = defineConnector({
  id: "shopify",
  name: "Shopify",
  api: {
    version: API_VERSION,
    docs: "https://shopify.dev/docs/api/admin-graphql",
    checkedOn: "2026-11-22",
    baseUrl: (params) => `${origin(params)}/admin/api/${API_VERSION}`,
    versionHeader: "x-shopify-api-version",
  },
  parameters: [shopParameter],
  auth: [oauth2, customApp, clientCredentials],
  scopes,
  identity,
  // The smallest plan's bucket, until an answer tells the shop's own.
  limits: [{ kind: "cost", name: "graphql", capacity: 2000, perSecond: 100, scope: "connection" }],
  resources: { shop, customers, products, variants, orders, refunds },
  webhooks,
  disconnect: { revokes: "installation", request: () => write(APP_UNINSTALL, {}) },
  classify,
  observe,
});
