import { describe, expect, test } from "vitest";
import { stringify } from "../json.ts";
import type { Catalog, Order } from "../model.ts";
import { orderBody } from "../rest/order.ts";
import { currentQuantity, financialStatus, totalsOf } from "../totals.ts";
import { DEFAULT_SIZES, seedCatalog } from "./index.ts";
import { PROFILES } from "./profiles.ts";

const TODAY = new Date("2026-11-22T10:00:00Z");
const [dollars, euros] = PROFILES.map((profile) => seedCatalog(profile, DEFAULT_SIZES, 7, TODAY)) as [Catalog, Catalog];

function noted(catalog: Catalog, note: string): Order {
  const order = [...catalog.orders.values()].find((candidate) => candidate.note?.startsWith(`Seed: ${note}`));
  if (!order) throw new Error(`no order noted ${note}`);
  return order;
}

describe("seeded stores", () => {
  test("are the same for the same seed and day, and others for another seed", () => {
    const bodies = (seed: number) => {
      const catalog = seedCatalog(
        PROFILES[0] as Catalog["profile"],
        { products: 20, customers: 9, orders: 40 },
        seed,
        TODAY,
      );
      return [...catalog.orders.values()].map((order) => stringify(orderBody(catalog, order))).join();
    };
    expect(bodies(3)).toBe(bodies(3));
    expect(bodies(3)).not.toBe(bodies(4));
  });

  test.each([
    ["dollars", dollars],
    ["euros", euros],
  ])("in %s hold enough of everything", (_, catalog) => {
    expect(catalog.products.size).toBeGreaterThanOrEqual(300);
    expect(catalog.orders.size).toBeGreaterThanOrEqual(500);
    expect(Math.max(...[...catalog.products.values()].map((product) => product.variants.length))).toBe(120);
    expect([...catalog.locations.values()].map((location) => location.isActive)).toEqual([true, true, true, false]);
    expect(
      [...catalog.orders.values()].every((order) => order.updatedAt <= TODAY && order.updatedAt >= order.createdAt),
    ).toBe(true);
  });

  test("have at least 500 orders young enough for a token without read_all_orders, and some older", () => {
    const oldest = TODAY.getTime() - 60 * 86_400_000;
    const young = [...dollars.orders.values()].filter((order) => order.createdAt.getTime() >= oldest).length;
    expect(young).toBeGreaterThanOrEqual(500);
    expect(young).toBeLessThan(dollars.orders.size);
  });

  test("number orders in the order they were placed", () => {
    const rows = [...dollars.orders.values()].filter((order) => !order.note?.includes("deleted"));
    const times = rows.toSorted((a, b) => a.number - b.number).map((order) => order.createdAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("one store's ids lie beyond 2^53, the other's do not", () => {
    const limit = BigInt(Number.MAX_SAFE_INTEGER);
    expect([...dollars.orders.keys()].every((id) => id > limit)).toBe(true);
    expect([...euros.orders.keys()].every((id) => id < limit)).toBe(true);
  });

  test.each([
    ["partial refund", "PARTIALLY_REFUNDED"],
    ["goodwill refund without lines", "PARTIALLY_REFUNDED"],
    ["full refund", "REFUNDED"],
    ["cancelled and refunded", "REFUNDED"],
    ["cancelled before capture", "VOIDED"],
    ["authorized, not captured", "AUTHORIZED"],
    ["authorized, then captured", "PAID"],
    ["waiting for a bank transfer", "PENDING"],
    ["costs nothing", "PAID"],
  ])("the order noted %j is %s", (note, status) => {
    expect(financialStatus(noted(dollars, note))).toBe(status);
  });

  test("an edited order keeps its original total beside the present one", () => {
    const order = noted(dollars, "edited");
    const { original, total, outstanding } = totalsOf(order);
    expect(order.edited).toBe(true);
    expect(original.total.shop).not.toBe(total.total.shop);
    expect(outstanding.shop).toBe(total.total.shop - original.total.shop);
  });

  test("there are guests, nobodies, a gift card, a test order, a long order, and a line whose product is gone", () => {
    expect(noted(dollars, "guest").customerId).toBeNull();
    expect(noted(dollars, "no customer and no e-mail").email).toBeNull();
    expect(noted(dollars, "gift card").lines[0]?.isGiftCard).toBe(true);
    expect(noted(dollars, "test order").test).toBe(true);
    expect(noted(dollars, "more lines").lines.length).toBeGreaterThan(30);
    expect(noted(dollars, "its product was deleted").lines[0]).toMatchObject({ productId: null, variantId: null });
  });

  test("an order paid in yen has whole yen and euros with cents", () => {
    const order = noted(euros, "paid in yen");
    const { total } = totalsOf(order);
    expect(order.presentmentCurrency).toBe("JPY");
    expect(total.total.presentment).toBeGreaterThan(total.total.shop);
    expect(stringify(orderBody(euros, order))).toMatch(/"presentment_money":\{"amount":"\d+","currency_code":"JPY"\}/);
  });

  test.each([
    ["dollars", dollars],
    ["euros", euros],
  ])("in %s, what was sold, refunded and is left adds up in every order", (_, catalog) => {
    for (const order of catalog.orders.values()) {
      const { total, current, received, refunded, outstanding } = totalsOf(order);
      for (const side of ["shop", "presentment"] as const) {
        if (received[side] > 0) expect(current.total[side]).toBe(total.total[side] - refunded[side]);
        expect(outstanding[side]).toBe(current.total[side] - received[side] + refunded[side]);
        expect(refunded[side]).toBeLessThanOrEqual(received[side]);
      }
      for (const line of order.lines) expect(currentQuantity(order, line)).toBeGreaterThanOrEqual(0);
    }
  });
});
