import type { Order } from "@patchbay/node";
import { expect, test } from "vitest";
import { summarize } from "./order-summary.ts";
import { anOrder } from "./testing.ts";

const orders = (...all: object[]) => all.map((more) => anOrder(more)) as unknown as Order[];

test("there is nothing to sum up without orders", () => {
  expect(summarize([])).toBeNull();
});

test("sums are net of refunds and leave out canceled orders and other currencies", () => {
  const summary = summarize(
    orders(
      { totalAmount: 1000 },
      { totalAmount: 500, refundedAmount: 200 },
      { totalAmount: 9999, status: "canceled" },
      { totalAmount: 8888, currency: "JPY", currencyExponent: 0 },
    ),
  );
  const amounts = { netAmount: 1300, refundedAmount: 200, refundedOrders: 1, averageAmount: 650 };
  expect(summary).toMatchObject({ currency: "EUR", orders: 2, ...amounts });
});

test("there are thirty days up to the newest order, in UTC, and older orders do not count", () => {
  const summary = summarize(
    orders(
      { placedAt: "2026-11-22T00:00:00.000Z", totalAmount: 100 },
      { placedAt: "2026-11-21T23:59:59.999Z", totalAmount: 10 },
      { placedAt: "2026-10-24T00:00:00.000Z", totalAmount: 1 },
      { placedAt: "2026-10-23T23:59:59.999Z", totalAmount: 7000 },
    ),
  );
  expect(summary?.days.map((day) => day.amount).filter((amount) => amount > 0)).toEqual([1, 10, 100]);
  expect([summary?.days.length, summary?.orders]).toEqual([30, 3]);
});
