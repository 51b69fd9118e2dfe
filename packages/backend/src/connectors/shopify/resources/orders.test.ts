import { describe, expect, test } from "vitest";
import { answer, dataOfModel, listed, normalized } from "../fixtures.ts";
import { orders } from "./orders.ts";

const [sold, canceled] = listed(orders).map((item) => normalized(orders, item));
const [order] = dataOfModel(sold ?? [], "order");
const [refund] = dataOfModel(sold ?? [], "refund");

/**
 * Order #1001 of the fixtures: two jackets at 189.90 and a scarf at 40.00, VAT of 19 % included. The scarf has an
 * automatic discount of 10.00 of its own; the code HERBST10 takes 10 % off everything: 37.98 and 3.00. Shipping is 4.90.
 * One jacket goes back for half of what both cost after discounts.
 */
describe("an order with both kinds of discount, tax included, partly refunded", () => {
  test("a line's total is after its own discounts and its share of the order's", () => {
    expect(order?.lines).toMatchObject([
      { subtotalAmount: 379_80, discountAmount: 37_98, totalAmount: 341_82, taxAmount: 54_58 },
      { subtotalAmount: 40_00, discountAmount: 13_00, totalAmount: 27_00, taxAmount: 4_31 },
    ]);
  });

  test("lines add up to the order, and the order to its total; the tax is inside", () => {
    const total = order?.lines.reduce((sum, line) => sum + (line.totalAmount ?? 0), 0);
    const discount = order?.lines.reduce((sum, line) => sum + (line.discountAmount ?? 0), 0);
    expect(order).toMatchObject({
      currency: "EUR",
      currencyExponent: 2,
      taxesIncluded: true,
      subtotalAmount: total,
      discountAmount: discount,
      shippingAmount: 4_90,
      taxAmount: 59_67,
      totalAmount: (total ?? 0) + 4_90,
    });
  });

  test("a refund leaves what was sold and lowers what is left", () => {
    expect(order).toMatchObject({
      totalAmount: 373_72,
      originalTotalAmount: 373_72,
      refundedAmount: 170_91,
      currentTotalAmount: 373_72 - 170_91,
      paidAmount: 373_72,
      netPaidAmount: 373_72 - 170_91,
      financialStatus: "partially_refunded",
    });
    expect(order?.lines[0]).toMatchObject({ quantity: 2, currentQuantity: 1 });
    expect(refund).toMatchObject({
      orderId: "ord_6200000000001",
      customerId: "cus_8301122334455",
      amount: 170_91,
      status: "succeeded",
      lines: [
        { orderLineRemoteId: order?.lines[0]?.remoteId, quantity: 1, subtotalAmount: 170_91, restockType: "return" },
      ],
    });
    expect(order?.refundIds).toEqual(["ref_960000000001"]);
  });

  test("what the buyer saw stands beside, in its own currency", () => {
    expect(order?.presentment).toEqual({
      currency: "USD",
      currencyExponent: 2,
      subtotalAmount: 424_14,
      discountAmount: 58_63,
      shippingAmount: 5_64,
      taxAmount: 68_62,
      totalAmount: 429_78,
      currentTotalAmount: 233_23,
      refundedAmount: 196_55,
    });
    expect(refund?.presentment).toEqual({ currency: "USD", currencyExponent: 2, amount: 196_55 });
  });

  test("references are ids, attributes keep their null", () => {
    expect(order).toMatchObject({
      customerId: "cus_8301122334455",
      attributes: { gift_wrap: "yes", card: null },
      remoteId: "6200000000001",
      remoteUrl: "https://fernweh-outfitters.myshopify.com/admin/orders/6200000000001",
      placedAt: "2026-11-18T15:00:00.000Z",
    });
    expect(order?.lines[0]).toMatchObject({ productId: "prod_9100000000001", variantId: "var_45500000001" });
  });
});

describe("amounts of a line", () => {
  const money = (amount: string) => ({ shopMoney: { amount, currencyCode: "EUR" } });
  const amountsOf = (original: string, discounted: string, allocations: readonly string[]) => {
    const [item] = orders.list?.items(answer("list.orders.2.json")) ?? [];
    const { lineItems } = orders.raw.parse(item) as { lineItems: { nodes: [object]; pageInfo: object } };
    const line = {
      ...lineItems.nodes[0],
      originalTotalSet: money(original),
      discountedTotalSet: money(discounted),
      discountAllocations: allocations.map((amount) => ({ allocatedAmountSet: money(amount) })),
    };
    const changed = Object.assign({}, item, { lineItems: { ...lineItems, nodes: [line] } });
    const [first] = dataOfModel(normalized(orders, changed), "order");
    return [first?.lines[0]?.subtotalAmount, first?.lines[0]?.discountAmount, first?.lines[0]?.totalAmount];
  };

  test.each([
    ["no discount", "54.00", "54.00", [], [54_00, 0, 54_00]],
    ["a code on the order", "54.00", "54.00", ["5.40"], [54_00, 5_40, 48_60]],
    ["an automatic discount on the line", "54.00", "50.00", ["4.00"], [54_00, 4_00, 50_00]],
    ["both", "54.00", "50.00", ["4.00", "5.00"], [54_00, 9_00, 45_00]],
    ["a line discount that is not allocated", "54.00", "50.00", [], [54_00, 4_00, 50_00]],
    ["everything off", "54.00", "0.0", ["54.00"], [54_00, 54_00, 0]],
  ])("%s", (_, original, discounted, allocations, expected) => {
    expect(amountsOf(original, discounted, allocations)).toEqual(expected);
  });
});

describe("orders of other kinds", () => {
  test("a guest's canceled order has no customer, and is canceled though it is closed too", () => {
    const [guest] = dataOfModel(canceled ?? [], "order");
    expect(guest).toMatchObject({
      status: "canceled",
      cancelReason: "inventory",
      cancelReasonRemote: "INVENTORY",
      customerId: null,
      billingAddress: null,
      fulfillmentStatus: "not_required",
      testMode: true,
    });
    expect(dataOfModel(canceled ?? [], "refund")[0]).toMatchObject({ customerId: null, testMode: true });
  });

  test("words that the pinned version does not have become unknown, and stand beside", () => {
    const later = {
      displayFinancialStatus: "PAID_IN_KIND",
      returnStatus: "constructor",
      displayFulfillmentStatus: "OPEN",
    };
    const [first] = listed(orders, later).map((item) => dataOfModel(normalized(orders, item), "order")[0]);
    expect(first).toMatchObject({
      financialStatus: "unknown",
      financialStatusRemote: "PAID_IN_KIND",
      returnStatus: "unknown",
      fulfillmentStatus: "unfulfilled",
      fulfillmentStatusRemote: "OPEN",
    });
  });

  test("what a token may not read is null with its reason", () => {
    const page = answer("list.orders.1.json");
    const error = (path: readonly (string | number)[], requiredAccess?: string) => ({
      path,
      extensions: { code: "ACCESS_DENIED", ...(requiredAccess && { requiredAccess }) },
    });
    const body = Object.assign({}, page.body, {
      errors: [
        error(["orders", "nodes", 0, "customer"], "`read_customers` access scope."),
        error(["orders", "nodes", 0, "lineItems", "nodes", 1, "product"], "`read_products` access scope."),
        error(["orders", "nodes", 0, "email"]),
      ],
    });
    const [item, other] = orders.list?.items({ ...page, body }) ?? [];
    const [withheld] = dataOfModel(
      normalized(orders, Object.assign({}, item, { customer: null, email: null })),
      "order",
    );
    expect(withheld).toMatchObject({ customerId: null, email: null });
    expect(withheld?.unavailableFields).toEqual({
      customerId: "scope_missing",
      "lines.productId": "scope_missing",
      email: "protected_data",
    });
    const [refundOfIt] = dataOfModel(normalized(orders, Object.assign({}, item, { customer: null })), "refund");
    expect(refundOfIt).toMatchObject({ customerId: null, unavailableFields: { customerId: "scope_missing" } });
    expect(dataOfModel(normalized(orders, other), "order")[0]?.unavailableFields).toEqual({});
  });
});
