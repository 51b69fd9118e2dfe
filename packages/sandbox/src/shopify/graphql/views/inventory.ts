import type { InventoryLevel, Location, Product, Variant } from "../../model.ts";
import { paginate, type PageArgs } from "../connections.ts";
import type { Ctx } from "../context.ts";
import { idOf } from "../gid.ts";
import { compileSearch } from "../search.ts";
import { LEVEL_SEARCH } from "../searchables.ts";
import { gid, money, time } from "./parts.ts";

interface LevelArgs extends PageArgs {
  readonly query?: string | null;
}

export function inventoryItemView(ctx: Ctx, product: Product, variant: Variant) {
  const { item } = variant;
  const { currency, countryCode } = ctx.shop.catalog.profile;
  return {
    __typename: "InventoryItem",
    id: gid("InventoryItem", item.id),
    legacyResourceId: item.id.toString(),
    sku: variant.sku,
    tracked: item.tracked,
    requiresShipping: item.requiresShipping,
    duplicateSkuCount: 0,
    countryCodeOfOrigin: countryCode,
    provinceCodeOfOrigin: null,
    harmonizedSystemCode: null,
    inventoryHistoryUrl: null,
    unitCost: item.cost === null ? null : money(item.cost, currency),
    measurement: {
      __typename: "InventoryItemMeasurement",
      id: gid("InventoryItemMeasurement", item.id),
      weight: { value: item.grams, unit: "GRAMS" },
    },
    inventoryLevel: (args: { readonly locationId: string }) => {
      const level = item.levels.find((candidate) => candidate.locationId === idOf("Location", args.locationId));
      return level ? inventoryLevelView(ctx, product, variant, level) : null;
    },
    inventoryLevels: (args: LevelArgs) => {
      const wanted = compileSearch(args.query, LEVEL_SEARCH);
      const levels = item.levels.filter((level) => wanted({ variant, level }));
      const positionOf = (level: InventoryLevel) => ({ value: 0, id: level.locationId });
      return paginate(ctx, levels, args, {
        positionOf,
        view: (level) => inventoryLevelView(ctx, product, variant, level),
      });
    },
    variants: (args: PageArgs) =>
      paginate(ctx, [variant], args, {
        positionOf: () => ({ value: 0, id: variant.id }),
        view: () => ctx.views.variant(ctx, product, variant),
      }),
    createdAt: time(item.createdAt),
    updatedAt: time(item.updatedAt),
  };
}

export function inventoryLevelView(ctx: Ctx, product: Product, variant: Variant, level: InventoryLevel) {
  const location = ctx.shop.catalog.locations.get(level.locationId);
  const numbers: Readonly<Record<string, number>> = {
    available: level.available,
    committed: level.committed,
    incoming: level.incoming,
    reserved: level.reserved,
    on_hand: level.available + level.committed + level.reserved,
    damaged: 0,
    quality_control: 0,
    safety_stock: 0,
  };
  const id = `gid://shopify/InventoryLevel/${level.locationId}?inventory_item_id=${variant.item.id}`;
  return {
    __typename: "InventoryLevel",
    id,
    isActive: true,
    canDeactivate: true,
    deactivationAlert: null,
    item: () => inventoryItemView(ctx, product, variant),
    location: () => (location ? locationView(ctx, location) : null),
    quantities: (args: { readonly names: readonly string[] }) =>
      args.names.map((name) => ({
        __typename: "InventoryQuantity",
        id: `gid://shopify/InventoryQuantity/${level.locationId}?inventory_item_id=${variant.item.id}&name=${name}`,
        name,
        quantity: numbers[name] ?? 0,
        updatedAt: time(level.updatedAt),
      })),
    createdAt: time(level.createdAt),
    updatedAt: time(level.updatedAt),
  };
}

export function locationView(ctx: Ctx, location: Location) {
  const { address } = location;
  const stock = () =>
    [...ctx.shop.catalog.products.values()].flatMap((product) =>
      product.variants.flatMap((variant) =>
        variant.item.levels
          .filter((level) => level.locationId === location.id)
          .map((level) => ({ product, variant, level })),
      ),
    );
  return {
    __typename: "Location",
    id: gid("Location", location.id),
    legacyResourceId: location.id.toString(),
    name: location.name,
    isActive: location.isActive,
    activatable: !location.isActive,
    deactivatable: location.isActive,
    deletable: false,
    addressVerified: true,
    fulfillsOnlineOrders: location.isActive,
    hasActiveInventory: location.isActive,
    hasUnfulfilledOrders: location.isActive,
    isFulfillmentService: false,
    shipsInventory: location.isActive,
    address: {
      address1: address.address1,
      address2: address.address2,
      city: address.city,
      country: address.country,
      countryCode: address.countryCode,
      formatted: [address.address1, `${address.zip} ${address.city}`, address.country],
      latitude: null,
      longitude: null,
      phone: address.phone,
      province: address.province,
      provinceCode: address.provinceCode,
      zip: address.zip,
    },
    inventoryLevel: (args: { readonly inventoryItemId: string }) => {
      const id = idOf("InventoryItem", args.inventoryItemId);
      const row = stock().find((candidate) => candidate.variant.item.id === id);
      return row ? inventoryLevelView(ctx, row.product, row.variant, row.level) : null;
    },
    inventoryLevels: (args: LevelArgs) => {
      const rows = stock().filter(compileSearch(args.query, LEVEL_SEARCH));
      return paginate(ctx, rows, args, {
        positionOf: (row) => ({ value: 0, id: row.variant.item.id }),
        view: (row) => inventoryLevelView(ctx, row.product, row.variant, row.level),
      });
    },
    createdAt: time(location.createdAt),
    updatedAt: time(location.updatedAt),
    deactivatedAt: time(location.deactivatedAt),
  };
}
