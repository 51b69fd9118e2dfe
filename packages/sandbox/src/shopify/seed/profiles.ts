import type { Address, ShopProfile } from "../model.ts";

/** The stores a fresh sandbox opens with. */
export const PROFILES: readonly ShopProfile[] = [
  {
    domain: "acme-goods.myshopify.com",
    id: 64_112_001n,
    name: "Acme Goods",
    email: "owner@acme-goods.example",
    owner: "Robin Calder",
    currency: "USD",
    presentment: [],
    country: "United States",
    countryCode: "US",
    timezone: "America/New_York",
    taxesIncluded: false,
    tax: { title: "NY State Tax", rate: 0.08875 },
    plan: "Grow",
    // Beyond 2^53, so that every id of this store breaks a parser that reads JSON numbers as doubles.
    firstId: 820_982_911_946_100_001n,
  },
  {
    domain: "maison-lumiere.myshopify.com",
    id: 70_553_882n,
    name: "Maison Lumière",
    email: "bonjour@maison-lumiere.example",
    owner: "Élodie Marchand",
    currency: "EUR",
    presentment: [
      { currency: "USD", rate: 1.0862 },
      { currency: "GBP", rate: 0.8437 },
      { currency: "JPY", rate: 163.42 },
    ],
    country: "France",
    countryCode: "FR",
    timezone: "Europe/Paris",
    taxesIncluded: true,
    tax: { title: "TVA", rate: 0.2 },
    plan: "Plus",
    firstId: 6_187_204_903_135n,
  },
];

type Place = Pick<Address, "address1" | "city" | "province" | "provinceCode" | "zip">;

/** Real places, invented people: addresses customers and locations take turns with. */
export const PLACES: Readonly<Record<string, readonly Place[]>> = {
  US: [
    { address1: "410 Atlantic Avenue", city: "Brooklyn", province: "New York", provinceCode: "NY", zip: "11217" },
    { address1: "1200 NW Naito Parkway", city: "Portland", province: "Oregon", provinceCode: "OR", zip: "97209" },
    { address1: "88 Congress Street", city: "Austin", province: "Texas", provinceCode: "TX", zip: "78701" },
    { address1: "27 Harbor Walk", city: "Boston", province: "Massachusetts", provinceCode: "MA", zip: "02110" },
    { address1: "950 Mission Street", city: "San Francisco", province: "California", provinceCode: "CA", zip: "94103" },
  ],
  FR: [
    { address1: "14 rue des Abbesses", city: "Paris", province: null, provinceCode: null, zip: "75018" },
    { address1: "3 place Bellecour", city: "Lyon", province: null, provinceCode: null, zip: "69002" },
    { address1: "22 quai de la Fosse", city: "Nantes", province: null, provinceCode: null, zip: "44000" },
    { address1: "7 cours Mirabeau", city: "Aix-en-Provence", province: null, provinceCode: null, zip: "13100" },
  ],
};

export const FIRST_NAMES = [
  "Ada",
  "Amara",
  "Bastien",
  "Chloé",
  "Dana",
  "Diego",
  "Elif",
  "Farid",
  "Grace",
  "Hana",
  "Ines",
  "Jonas",
  "Kwame",
  "Léa",
  "Mateo",
  "Mina",
  "Noor",
  "Oskar",
  "Priya",
  "Quentin",
  "Rosa",
  "Sefa",
  "Tomás",
  "Uma",
  "Viktor",
  "Wren",
  "Ximena",
  "Yuki",
  "Zoë",
];

export const LAST_NAMES = [
  "Adeyemi",
  "Bergström",
  "Castellanos",
  "Dubois",
  "Eriksen",
  "Fontaine",
  "Garcia",
  "Hoffmann",
  "Ito",
  "Jansen",
  "Kaya",
  "Lefèvre",
  "Moreau",
  "Nakamura",
  "O’Brien",
  "Petrov",
  "Quispe",
  "Rossi",
  "Silva",
  "Tanaka",
  "Usman",
  "Vogel",
  "Whitfield",
  "Zhang",
];

export const MATERIALS = [
  "Ash",
  "Brass",
  "Cedar",
  "Ceramic",
  "Copper",
  "Cork",
  "Enamel",
  "Felt",
  "Glass",
  "Leather",
  "Linen",
  "Marble",
  "Oak",
  "Rattan",
  "Stoneware",
  "Walnut",
  "Wool",
];

/** Noun, product type, price range in minor units, grams, option values. */
export const GOODS: readonly {
  readonly noun: string;
  readonly type: string;
  readonly price: readonly [number, number];
  readonly grams: number;
  readonly option: { readonly name: string; readonly values: readonly string[] } | null;
}[] = [
  {
    noun: "Mug",
    type: "Kitchen",
    price: [1200, 3200],
    grams: 380,
    option: { name: "Color", values: ["Blue", "Cream", "Forest"] },
  },
  {
    noun: "Bowl",
    type: "Kitchen",
    price: [1800, 5400],
    grams: 620,
    option: { name: "Size", values: ["Small", "Large"] },
  },
  { noun: "Tray", type: "Home", price: [2400, 7900], grams: 900, option: null },
  {
    noun: "Lamp",
    type: "Lighting",
    price: [6900, 24_900],
    grams: 2100,
    option: { name: "Shade", values: ["Natural", "Black"] },
  },
  {
    noun: "Candle",
    type: "Home",
    price: [1400, 3900],
    grams: 450,
    option: { name: "Scent", values: ["Fig", "Cedar", "Salt"] },
  },
  { noun: "Notebook", type: "Stationery", price: [900, 2400], grams: 240, option: null },
  { noun: "Tote", type: "Bags", price: [2900, 8900], grams: 410, option: { name: "Color", values: ["Sand", "Ink"] } },
  { noun: "Throw", type: "Textiles", price: [4900, 14_900], grams: 1300, option: null },
  {
    noun: "Cutting Board",
    type: "Kitchen",
    price: [3400, 9900],
    grams: 1600,
    option: { name: "Size", values: ["Small", "Medium", "Large"] },
  },
  { noun: "Vase", type: "Home", price: [2800, 11_900], grams: 1100, option: null },
  { noun: "Coaster Set", type: "Home", price: [1600, 3600], grams: 300, option: null },
  { noun: "Wall Clock", type: "Home", price: [5900, 15_900], grams: 1400, option: null },
];
