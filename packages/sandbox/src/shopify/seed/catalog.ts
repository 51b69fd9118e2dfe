import type { Address, Catalog, Customer, Location, Product, ShopProfile, Variant } from "../model.ts";
import { between, newId, pick, type Store } from "../store.ts";
import { FIRST_NAMES, GOODS, LAST_NAMES, MATERIALS, PLACES } from "./profiles.ts";

const DAY_MS = 86_400_000;

export function emptyCatalog(profile: ShopProfile, createdAt: Date): Catalog {
  return {
    profile,
    nextId: profile.firstId,
    nextOrderNumber: 1000,
    locations: new Map(),
    customers: new Map(),
    products: new Map(),
    orders: new Map(),
    createdAt,
  };
}

/** Three places that hold stock and one that was closed. */
export function seedLocations(store: Store): void {
  for (const [name, isActive] of [
    ["Main warehouse", true],
    ["City store", true],
    ["Overflow depot", true],
    ["Old annex", false],
  ] as const) {
    const location: Location = {
      id: newId(store),
      name,
      isActive,
      address: newAddress(store, "", ""),
      createdAt: store.catalog.createdAt,
      updatedAt: store.catalog.createdAt,
      deactivatedAt: isActive ? null : store.catalog.createdAt,
    };
    store.catalog.locations.set(location.id, location);
  }
}

export function seedCustomers(store: Store, count: number): void {
  const states = ["DISABLED", "ENABLED", "INVITED", "DECLINED"] as const;
  for (let index = 0; index < count; index++) {
    const firstName = pick(store.dice, FIRST_NAMES);
    const lastName = pick(store.dice, LAST_NAMES);
    const createdAt = store.now();
    const customer: Customer = {
      id: newId(store),
      firstName,
      lastName,
      email: index % 37 === 5 ? null : `${plain(firstName)}.${plain(lastName)}${index}@shopper.example`,
      phone: index % 3 === 0 ? `+1555010${String(1000 + index).slice(-4)}` : null,
      locale: store.catalog.profile.countryCode === "FR" ? "fr" : "en",
      note: index % 11 === 0 ? "Prefers e-mail over phone." : null,
      tags: index % 4 === 0 ? ["newsletter"] : [],
      state: states[index % states.length] ?? "DISABLED",
      verifiedEmail: index % 5 !== 0,
      taxExempt: index % 29 === 0,
      marketing: index % 4 === 0 ? "SUBSCRIBED" : "NOT_SUBSCRIBED",
      addresses: index % 13 === 7 ? [] : [newAddress(store, firstName, lastName)],
      createdAt,
      updatedAt: createdAt,
    };
    store.catalog.customers.set(customer.id, customer);
  }
}

/** `count` products; the first has 120 variants, the second is a gift card, one each is a draft, archived, unlisted. */
export function seedProducts(store: Store, count: number): void {
  for (let index = 0; index < count; index++) {
    const product = newProduct(store, index);
    store.catalog.products.set(product.id, product);
  }
}

function newProduct(store: Store, index: number): Product {
  const goods = GOODS[index % GOODS.length] ?? pick(store.dice, GOODS);
  const isGiftCard = index === 1;
  const title = titleOf(store, index, goods.noun);
  const createdAt = store.now();
  const choices = optionsOf(index, isGiftCard, goods.option);
  const price = isGiftCard ? 5000 : Math.round(between(store.dice, goods.price[0], goods.price[1]) / 100) * 100 - 5;
  const titles = combine(choices.map((choice) => choice.values));
  const published = index % 23 !== 4;
  return {
    id: newId(store),
    title,
    handle: `${plain(title).replaceAll(/[^a-z0-9]+/g, "-")}-${index}`,
    descriptionHtml: `<p>${title}, made in small batches. Item no. ${index}.</p>`,
    vendor: store.catalog.profile.name,
    productType: isGiftCard ? "Gift Cards" : goods.type,
    status: statusOf(index),
    tags: index % 6 === 0 ? ["bestseller", goods.type.toLowerCase()] : [goods.type.toLowerCase()],
    isGiftCard,
    options: choices.map((choice) => ({
      id: newId(store),
      name: choice.name,
      values: choice.values.map((name) => ({ id: newId(store), name })),
    })),
    mediaId: newId(store),
    variants: titles.map((values, at) =>
      newVariant(store, { values, at, choices, index, price, goods, isGiftCard, createdAt }),
    ),
    publishedAt: published ? createdAt : null,
    createdAt,
    updatedAt: createdAt,
  };
}

interface VariantPlan {
  readonly values: readonly string[];
  readonly at: number;
  readonly choices: readonly { readonly name: string }[];
  readonly index: number;
  readonly price: number;
  readonly goods: (typeof GOODS)[number];
  readonly isGiftCard: boolean;
  readonly createdAt: Date;
}

function newVariant(store: Store, plan: VariantPlan): Variant {
  const { values, at, index, price, goods, isGiftCard, createdAt } = plan;
  const only = plan.choices[0]?.name === "Title";
  const giftValues = [2500, 5000, 10_000];
  const locations = [...store.catalog.locations.values()].filter((location) => location.isActive);
  return {
    id: newId(store),
    title: only ? "Default Title" : values.join(" / "),
    sku:
      index % 31 === 9 ? null : `${goods.noun.slice(0, 3).toUpperCase()}-${String(index).padStart(4, "0")}-${at + 1}`,
    barcode: index % 3 === 0 ? String(4_006_381_000_000 + index * 200 + at) : null,
    price: isGiftCard ? (giftValues[at] ?? 5000) : price + at * 100,
    compareAtPrice: index % 7 === 3 ? price + 1000 + at * 100 : null,
    position: at + 1,
    taxable: !isGiftCard,
    inventoryPolicy: index % 9 === 0 ? "CONTINUE" : "DENY",
    selectedOptions: plan.choices.map((choice, option) => ({ name: choice.name, value: values[option] ?? "" })),
    item: {
      id: newId(store),
      tracked: !isGiftCard,
      requiresShipping: !isGiftCard,
      cost: isGiftCard ? null : Math.round(price * 0.42),
      grams: isGiftCard ? 0 : goods.grams,
      createdAt,
      updatedAt: createdAt,
      levels: (isGiftCard ? [] : locations).map((location) => ({
        locationId: location.id,
        available: between(store.dice, 40, 400),
        committed: 0,
        incoming: index % 5 === 0 ? 24 : 0,
        reserved: 0,
        createdAt,
        updatedAt: createdAt,
      })),
    },
    createdAt,
    updatedAt: createdAt,
  };
}

function titleOf(store: Store, index: number, noun: string): string {
  if (index === 0) return "Made-to-measure Shelf";
  if (index === 1) return "Gift Card";
  return `${pick(store.dice, MATERIALS)} ${noun}`;
}

function statusOf(index: number): Product["status"] {
  if (index % 23 === 4) return "DRAFT";
  if (index % 41 === 6) return "ARCHIVED";
  return index % 53 === 8 ? "UNLISTED" : "ACTIVE";
}

function optionsOf(
  index: number,
  isGiftCard: boolean,
  option: { readonly name: string; readonly values: readonly string[] } | null,
) {
  if (index === 0) {
    return [
      { name: "Width", values: ["60 cm", "80 cm", "100 cm", "120 cm", "140 cm"] },
      { name: "Wood", values: ["Ash", "Beech", "Cherry", "Oak", "Pine", "Walnut"] },
      { name: "Finish", values: ["Raw", "Oiled", "Waxed", "Painted"] },
    ];
  }
  if (isGiftCard) return [{ name: "Denominations", values: ["25", "50", "100"] }];
  return [option ?? { name: "Title", values: ["Default Title"] }];
}

function combine(lists: readonly (readonly string[])[]): string[][] {
  return lists.reduce<string[][]>(
    (rows, values) => rows.flatMap((row) => values.map((value) => [...row, value])),
    [[]],
  );
}

function newAddress(store: Store, firstName: string, lastName: string): Address {
  const { country, countryCode } = store.catalog.profile;
  const place = pick(store.dice, PLACES[countryCode] ?? []);
  return {
    id: newId(store),
    firstName,
    lastName,
    company: null,
    address2: null,
    phone: null,
    country,
    countryCode,
    ...place,
  };
}

function plain(text: string): string {
  return text
    .normalize("NFD")
    .replaceAll(/[^\w ]/g, "")
    .toLowerCase();
}

/** A moment `days` before the newest moment of the seed. */
export function daysBefore(newest: Date, days: number): Date {
  return new Date(newest.getTime() - Math.round((days * DAY_MS) / 1000) * 1000);
}
