import { describe, expect, test } from "vitest";
import type { Expansion } from "../../kit/index.ts";
import { answer, dataOfModel, listed, normalized } from "../fixtures.ts";
import { customers } from "./customers.ts";
import { orders } from "./orders.ts";
import { products } from "./products.ts";
import { accountKeyOf, identity, shop } from "./shop.ts";

/** Merges the answers of `names` into the item, each into the expansion of the same place. */
function expanded(item: unknown, expansions: readonly Expansion[], names: readonly string[]): unknown {
  return names.reduce((grown, name, place) => expansions[place]?.merge(grown, answer(name)), item);
}

describe("shop", () => {
  test("is the account", () => {
    const [account] = dataOfModel(normalized(shop, listed(shop)[0]), "account");
    expect(account).toMatchObject({
      remoteId: "70123456789",
      name: "Fernweh Outfitters",
      defaultCurrency: "EUR",
      timezone: "Europe/Berlin",
      plan: "Development",
      testMode: true,
    });
  });

  test("identity is the gid; domain and number are other names of it", () => {
    expect(identity.parse(answer("identity.json"))).toEqual({
      accountId: "gid://shopify/Shop/70123456789",
      name: "Fernweh Outfitters",
      url: "https://fernweh.example",
      testMode: true,
      grantedScopes: ["read_customers", "write_orders", "read_products"],
      aliases: ["fernweh-outfitters.myshopify.com", "70123456789"],
    });
  });

  test.each([
    [954889, "gid://shopify/Shop/954889"],
    ["820982911946154508", "gid://shopify/Shop/820982911946154508"],
    ["gid://shopify/Shop/1", "gid://shopify/Shop/1"],
    ["gid://shopify/Order/1", null],
    ["shop", null],
  ])("the account key of %s is %s", (id, key) => {
    expect(accountKeyOf(id)).toBe(key);
  });
});

describe("customers", () => {
  const [mara] = listed(customers);

  test("money, words and addresses are ours", () => {
    const [customer] = dataOfModel(normalized(customers, mara), "customer");
    expect(customer).toMatchObject({
      name: "Mara Lindqvist",
      companyName: "Lindqvist Tours",
      email: "mara@lindqvist-tours.example",
      state: "enabled",
      stateRemote: "ENABLED",
      emailMarketing: "subscribed",
      taxExempt: "none",
      ordersCount: 4,
      currency: "EUR",
      totalSpentAmount: 612_40,
      defaultAddress: { type: "primary", line1: "Hafenstraße 12", countryCode: "DE", regionCode: "SH" },
    });
  });

  test("addresses beyond the inline page are added", () => {
    const whole = expanded(mara, customers.list?.expansions(mara) ?? [], ["expand.customers.1.json"]);
    const [customer] = dataOfModel(normalized(customers, whole), "customer");
    expect(customer?.addresses).toHaveLength(11);
    expect(customer?.addresses.at(-1)?.city).toBe("Plön");
  });
});

describe("products", () => {
  const [jacket, voucher] = listed(products);

  test("variants are records with the shop's currency, and the product names them", () => {
    const records = normalized(products, jacket);
    const [product] = dataOfModel(records, "product");
    const variants = dataOfModel(records, "variant");
    expect(product?.variantIds).toEqual(variants.map((variant) => `var_${variant.remoteId}`));
    expect(variants[0]).toMatchObject({
      productId: "prod_9100000000001",
      currency: "EUR",
      priceAmount: 189_90,
      compareAtAmount: 219_00,
      costAmount: 74_50,
      weight: { value: 0.62, unit: "kg", unitRemote: "KILOGRAMS" },
      inventoryPolicy: "deny",
    });
  });

  test("a price follows the shop's currency, which has no hundredths everywhere", () => {
    const yen = { shop: { currencyCode: "JPY", myshopifyDomain: "a.myshopify.com" } };
    const [item] = listed(products, yen).slice(1);
    const [variant] = dataOfModel(normalized(products, item), "variant");
    expect(variant).toMatchObject({ priceAmount: 50, currency: "JPY", currencyExponent: 0 });
  });

  test("a cost in another currency has no place in the record", () => {
    const dollars = { shop: { currencyCode: "USD", myshopifyDomain: "a.myshopify.com" } };
    const [item] = listed(products, dollars);
    expect(dataOfModel(normalized(products, item), "variant")[0]?.costAmount).toBeNull();
  });

  test("empty texts are null, a gift card is one", () => {
    const [product] = dataOfModel(normalized(products, voucher), "product");
    expect(product).toMatchObject({
      status: "unlisted",
      type: "gift_card",
      description: null,
      vendor: null,
      categoryLabel: null,
      sku: null,
      images: [],
      shippable: false,
    });
  });

  test("a single default variant lends the product its sku", () => {
    const { variants } = products.raw.parse(voucher) as { variants: { nodes: [object]; pageInfo: object } };
    const named = { ...variants, nodes: [{ ...variants.nodes[0], sku: "GIFT-50" }] };
    const skuOf = (item: unknown) => dataOfModel(normalized(products, item), "product")[0]?.sku;
    expect(skuOf(Object.assign({}, voucher, { variants: named }))).toBe("GIFT-50");
    expect(skuOf(Object.assign({}, voucher, { variants: named, hasOnlyDefaultVariant: false }))).toBeNull();
  });

  test("variants beyond the inline page come by pages, until none is left", () => {
    const [more] = products.list?.expansions(jacket) ?? [];
    const second = more?.next(answer("expand.products.1.json"), more.request);
    expect(second).not.toBeNull();
    expect(more?.next(answer("expand.products.2.json"), second ?? more.request)).toBeNull();
    const all = more?.merge(more.merge(jacket, answer("expand.products.1.json")), answer("expand.products.2.json"));
    expect(dataOfModel(normalized(products, all), "variant")).toHaveLength(23);
    expect(products.list?.expansions(all)).toEqual([]);
  });
});

describe("what does not fit", () => {
  test.each(["1e5", "12,00", "", "9".repeat(16), "1.", "NaN"])("a price of %j is refused before normalize", (price) => {
    const [item] = listed(products);
    const { variants } = products.raw.parse(item) as { variants: { nodes: object[]; pageInfo: object } };
    const broken = { ...variants, nodes: [{ ...variants.nodes[0], price }] };
    const issues = products.raw.safeParse(Object.assign({}, item, { variants: broken })).error?.issues;
    expect(issues?.map((issue) => issue.path.join("."))).toEqual(["variants.nodes.0.price"]);
  });

  test("an id without a number is refused before normalize", () => {
    const [item] = listed(orders, { id: "gid://shopify/Order/abc" });
    expect(orders.raw.safeParse(item).success).toBe(false);
  });

  test("the largest amount let in can still be counted exactly", () => {
    const [item] = listed(products).slice(1);
    const { variants } = products.raw.parse(item) as { variants: { nodes: object[]; pageInfo: object } };
    const dear = { ...variants, nodes: [{ ...variants.nodes[0], price: "999999999999.9999" }] };
    const dinars = { variants: dear, shop: { currencyCode: "KWD", myshopifyDomain: "a.myshopify.com" } };
    const [variant] = dataOfModel(normalized(products, Object.assign({}, item, dinars)), "variant");
    expect(variant?.priceAmount).toBe(1e15);
  });
});

describe("refunds", () => {
  const [, item] = listed(orders);
  const first = expanded(item, orders.list?.expansions(item) ?? [], ["expand.orders.1.json", "expand.orders.2.json"]);
  const second = orders.list?.expansions(first) ?? [];
  const whole = expanded(first, second, ["expand.orders.3.json"]);
  const refunds = dataOfModel(normalized(orders, whole), "refund");

  test("a full inline list is read whole, then the lines of each that has more", () => {
    expect(second).toHaveLength(1);
    expect(orders.list?.expansions(whole)).toEqual([]);
    expect(refunds.map((refund) => refund.lines.length)).toEqual([0, 0, 11]);
    expect(dataOfModel(normalized(orders, whole), "order")[0]?.lines).toHaveLength(12);
  });

  test("the worst money movement is the refund's; without any it has succeeded", () => {
    expect(refunds).toMatchObject([
      { status: "succeeded", statusRemote: "SUCCESS", amount: 10_00 },
      {
        status: "failed",
        statusRemote: "FAILURE",
        failureReason: "PROCESSING_ERROR",
        adjustments: [{ remoteId: "700000000001", reason: "refund_discrepancy", amount: -5_00, taxAmount: 0 }],
      },
      { status: "succeeded", statusRemote: null, amount: 0 },
    ]);
  });
});
