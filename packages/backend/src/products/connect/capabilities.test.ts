import { MODEL_NAMES } from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import { shopify } from "../../connectors/shopify/index.ts";
import { modelCapabilities } from "./capabilities.ts";

const capabilityOf = (model: string, row: Parameters<typeof modelCapabilities>[1], connector = shopify) =>
  modelCapabilities(connector, row).find((each) => each.model === model);

describe("modelCapabilities", () => {
  test("names every model", () => {
    const models = modelCapabilities(shopify, { models: [], grantedScopes: [] }).map(({ model }) => model);
    expect(models).toEqual(MODEL_NAMES);
  });

  test("names the scopes that are missing", () => {
    expect(capabilityOf("product", { models: ["product"], grantedScopes: ["read_products"] })).toEqual({
      model: "product",
      read: false,
      reason: "missing_scope",
      scopes: ["read_inventory", "read_products"],
      missingScopes: ["read_inventory"],
    });
  });

  test("takes a scope that includes the needed one for it", () => {
    expect(capabilityOf("order", { models: ["order"], grantedScopes: ["write_orders"] })).toMatchObject({ read: true });
  });

  test("tells what was not asked for from what the provider does not have", () => {
    const row = { models: [], grantedScopes: ["read_orders"] };
    expect(capabilityOf("order", row)).toMatchObject({ reason: "not_asked" });
    const without = { ...shopify, resources: { shop: shopify.resources.shop } };
    expect(capabilityOf("order", row, without as unknown as typeof shopify)).toMatchObject({
      reason: "provider_limitation",
    });
  });

  test("believes in what is asked for where the provider does not tell what it granted", () => {
    expect(capabilityOf("order", { models: ["order"], grantedScopes: [] })).toMatchObject({
      read: true,
      missingScopes: [],
    });
  });
});
