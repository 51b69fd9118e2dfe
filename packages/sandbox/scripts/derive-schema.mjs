#!/usr/bin/env node
/**
 * Derives `src/shopify/admin.graphql`, the part of Shopify's Admin GraphQL schema this sandbox serves.
 *
 *   node packages/sandbox/scripts/derive-schema.mjs            writes the file
 *   node packages/sandbox/scripts/derive-schema.mjs --check    fails when the file differs
 *
 * Source: the introspection file in the npm package named below (ISC, © Shopify Inc.), fetched with `npm pack`.
 * A kept type loses the fields that lead to types not kept; deprecated fields are left out, descriptions too.
 * Access scopes, which the package lists in a table beside the schema, become `@scopes(any: [...])`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const PACKAGE = "@shopify/dev-mcp@1.16.0";
const SOURCE_FILE = "package/dist/data/admin_2026-10.json.gz";
const TARGET = new URL("../src/shopify/admin.graphql", import.meta.url);

const QUERIES = [
  "appInstallation",
  "bulkOperation",
  "bulkOperations",
  "currentAppInstallation",
  "customer",
  "customers",
  "customersCount",
  "fulfillment",
  "fulfillmentOrder",
  "fulfillmentOrders",
  "inventoryItem",
  "inventoryItems",
  "inventoryLevel",
  "location",
  "locations",
  "locationsCount",
  "node",
  "nodes",
  "order",
  "orders",
  "ordersCount",
  "product",
  "productVariant",
  "productVariants",
  "productVariantsCount",
  "products",
  "productsCount",
  "publicApiVersions",
  "refund",
  "shop",
  "webhookSubscription",
  "webhookSubscriptions",
  "webhookSubscriptionsCount",
];

const MUTATIONS = [
  "appUninstall",
  "bulkOperationCancel",
  "bulkOperationRunQuery",
  "customerCreate",
  "customerDelete",
  "customerUpdate",
  "inventorySetQuantities",
  "orderCancel",
  "orderUpdate",
  "productDelete",
  "productUpdate",
  "productVariantsBulkUpdate",
  "refundCreate",
  "tagsAdd",
  "webhookSubscriptionCreate",
  "webhookSubscriptionDelete",
  "webhookSubscriptionUpdate",
];

/** Objects and interfaces served, beside connections, edges and payloads, which follow from the fields that use them. */
const TYPES = [
  "AccessScope",
  "ApiVersion",
  "App",
  "AppInstallation",
  "Attribute",
  "BulkOperation",
  "Count",
  "Customer",
  "CustomerEmailAddress",
  "CustomerPhoneNumber",
  "DiscountAllocation",
  "Domain",
  "Fulfillment",
  "FulfillmentLineItem",
  "FulfillmentOrder",
  "FulfillmentOrderAssignedLocation",
  "FulfillmentOrderLineItem",
  "FulfillmentTrackingInfo",
  "Image",
  "InventoryAdjustmentGroup",
  "InventoryChange",
  "InventoryItem",
  "InventoryItemMeasurement",
  "InventoryLevel",
  "InventoryQuantity",
  "Job",
  "LineItem",
  "Location",
  "LocationAddress",
  "MailingAddress",
  "Media",
  "MediaImage",
  "MediaPreviewImage",
  "MoneyBag",
  "MoneyV2",
  "Node",
  "Order",
  "OrderAdjustment",
  "OrderTransaction",
  "PageInfo",
  "Product",
  "ProductOption",
  "ProductOptionValue",
  "ProductPriceRangeV2",
  "ProductVariant",
  "Refund",
  "RefundLineItem",
  "SEO",
  "SelectedOption",
  "ShippingLine",
  "Shop",
  "ShopPlan",
  "TaxLine",
  "WebhookSubscription",
  "Weight",
];

/** Fields of kept types that would need machinery nobody asked for. */
const LEFT_OUT = {
  App: ["availableAccessScopes", "banner", "icon", "optionalAccessScopes", "requestedAccessScopes", "screenshots"],
  FulfillmentOrder: ["fulfillmentOrdersForMerge", "remainingLineItemsWeight"],
  FulfillmentOrderLineItem: ["image", "shippingLine"],
  Product: [
    "availablePublicationsCount",
    "inCollection",
    "productComponentsCount",
    "productParents",
    "publishedInContext",
    "publishedOnPublication",
    "resourcePublicationsCount",
    "restrictedForResource",
    "sellingPlanGroupsCount",
    "variantsInCollection",
    "variantsInCollectionCount",
  ],
  ProductVariant: [
    "availablePublicationsCount",
    "productParents",
    "publishedOnPublication",
    "resourcePublicationsCount",
    "sellingPlanGroupsCount",
  ],
  Shop: ["availableChannelApps"],
  Order: ["nonFulfillableLineItems"],
  OrderTransaction: ["paymentIcon"],
};

/** Arguments that only reach types we do not serve. */
const LEFT_OUT_ARGUMENTS = ["savedSearchId", "transform", "metafieldIdentifiers"];
/** Input fields left out, with the object types behind them, to keep the file readable. */
const LEFT_OUT_INPUTS = ["metafields", "media", "localizedFields", "refundDuties", "refundMethods"];

const LICENSE_NOTE = `# A subset of Shopify's Admin GraphQL API schema, version 2026-10.
# Derived by packages/sandbox/scripts/derive-schema.mjs from the npm package ${PACKAGE}
# (dist/data/admin_2026-10.json.gz). Do not edit by hand. @scopes is ours; it carries that package's scope table.
#
# ISC License. Copyright 2025-present, Shopify Inc.
# Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
# provided that the above copyright notice and this permission notice appear in all copies.
# THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL
# IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
# INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
# ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
# THIS SOFTWARE.

schema { query: QueryRoot mutation: Mutation }

directive @idempotent(key: String!) on FIELD
directive @scopes(any: [String!]!) on OBJECT | INTERFACE | FIELD_DEFINITION
`;

main();

function main() {
  const source = readSource();
  const sdl = print(source);
  if (!process.argv.includes("--check")) {
    writeFileSync(TARGET, sdl);
    return;
  }
  if (readFileSync(TARGET, "utf8") === sdl) return;
  process.stderr.write("admin.graphql differs from what derive-schema.mjs makes\n");
  process.exitCode = 1;
}

function readSource() {
  const dir = mkdtempSync(join(tmpdir(), "admin-schema-"));
  try {
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    const out = execFileSync(npm, ["pack", PACKAGE, "--silent"], { cwd: dir, encoding: "utf8" });
    execFileSync("tar", ["-xzf", out.trim(), SOURCE_FILE], { cwd: dir });
    return JSON.parse(gunzipSync(readFileSync(join(dir, SOURCE_FILE))).toString("utf8"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function print(source) {
  const types = new Map(source.data.__schema.types.map((type) => [type.name, type]));
  const scopes = scopesOf(source.offline_scopes.items);
  const kept = new Map();
  const queue = ["QueryRoot", "Mutation"];
  while (queue.length > 0) {
    const name = queue.pop();
    if (kept.has(name)) continue;
    const type = trim(types.get(name), types);
    kept.set(name, type);
    for (const field of type.fields ?? []) {
      queue.push(named(field.type), ...field.args.map((arg) => named(arg.type)));
    }
    for (const field of type.inputFields ?? []) queue.push(named(field.type));
    if (type.kind === "INTERFACE")
      queue.push(...type.possibleTypes.map((t) => t.name).filter((t) => TYPES.includes(t)));
  }
  const names = [...kept.keys()]
    .filter((name) => !["String", "Int", "Float", "Boolean", "ID"].includes(name))
    .sort((a, b) => (a < b ? -1 : 1));
  return `${LICENSE_NOTE}\n${names.map((name) => printType(kept.get(name), kept, scopes)).join("\n\n")}\n`;
}

function trim(type, types) {
  if (type.name === "QueryRoot") return { ...type, fields: only(type.fields, QUERIES).map(trimArguments) };
  if (type.name === "Mutation") return { ...type, fields: only(type.fields, MUTATIONS).map(trimArguments) };
  if (type.kind === "INPUT_OBJECT") {
    return {
      ...type,
      inputFields: type.inputFields.filter((f) => !f.isDeprecated && !LEFT_OUT_INPUTS.includes(f.name)),
    };
  }
  if (type.kind !== "OBJECT" && type.kind !== "INTERFACE") return type;
  const leftOut = LEFT_OUT[type.name] ?? [];
  const fields = type.fields.filter((f) => !f.isDeprecated && !leftOut.includes(f.name) && served(f.type, types));
  return { ...type, fields: fields.map(trimArguments) };
}

function trimArguments(field) {
  const args = field.args.filter(
    (arg) => !arg.isDeprecated && !LEFT_OUT_ARGUMENTS.includes(arg.name) && !LEFT_OUT_INPUTS.includes(arg.name),
  );
  return { ...field, args };
}

/** Leaves are always served; objects when listed, or when they are a connection, edge or error around listed ones. */
function served(ref, types) {
  const name = named(ref);
  const kind = types.get(name).kind;
  if (kind === "SCALAR" || kind === "ENUM") return true;
  if (TYPES.includes(name)) return true;
  if (name.endsWith("Connection") || name.endsWith("Edge"))
    return TYPES.includes(name.replace(/(Connection|Edge)$/, ""));
  return name.endsWith("UserError") || name.endsWith("UninstallError");
}

function only(fields, names) {
  return names.map((name) => {
    const field = fields.find((f) => f.name === name);
    if (!field) throw new Error(`no field ${name} in the source schema`);
    return field;
  });
}

function named(ref) {
  return ref.ofType ? named(ref.ofType) : ref.name;
}

function printType(type, kept, scopes) {
  const access = scopes.get(type.name) ?? "";
  if (type.kind === "SCALAR") return `scalar ${type.name}`;
  if (type.kind === "ENUM") return `enum ${type.name} {\n  ${type.enumValues.map((v) => v.name).join(" ")}\n}`;
  if (type.kind === "INPUT_OBJECT") {
    const oneOf = type.isOneOf ? " @oneOf" : "";
    return `input ${type.name}${oneOf} {\n${type.inputFields.map((f) => `  ${printValue(f)}`).join("\n")}\n}`;
  }
  const word = type.kind === "INTERFACE" ? "interface" : "type";
  const interfaces = type.interfaces.map((i) => i.name).filter((name) => kept.has(name));
  const implemented = interfaces.length > 0 ? ` implements ${interfaces.join(" & ")}` : "";
  const fields = type.fields.map((field) => `  ${printField(type, field, scopes)}`);
  return `${word} ${type.name}${implemented}${access} {\n${fields.join("\n")}\n}`;
}

function printField(type, field, scopes) {
  const args = field.args.length > 0 ? `(${field.args.map(printValue).join(", ")})` : "";
  return `${field.name}${args}: ${printRef(field.type)}${scopes.get(`${type.name}.${field.name}`) ?? ""}`;
}

function printValue(value) {
  const fallback = value.defaultValue === null ? "" : ` = ${value.defaultValue}`;
  return `${value.name}: ${printRef(value.type)}${fallback}`;
}

function printRef(ref) {
  if (ref.kind === "NON_NULL") return `${printRef(ref.ofType)}!`;
  if (ref.kind === "LIST") return `[${printRef(ref.ofType)}]`;
  return ref.name;
}

function scopesOf(items) {
  const scopes = new Map();
  for (const item of items) {
    if (item.offlineScopes.length === 0) continue;
    const key = item.fieldName ? `${item.typeName}.${item.fieldName}` : item.typeName;
    const any = [...new Set(item.offlineScopes)].map((scope) => JSON.stringify(scope)).join(", ");
    scopes.set(key, ` @scopes(any: [${any}])`);
  }
  return scopes;
}
