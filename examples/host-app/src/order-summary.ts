import type { Order } from "@patchbay/node";

const DAYS = 30;
const DAY_MS = 86_400_000;

/** The numbers on top of the overview. Amounts are minor units of `currency`. */
export interface OrderSummary {
  readonly currency: string;
  readonly currencyExponent: number;
  readonly orders: number;
  /** Sold and not given back. */
  readonly netAmount: number;
  readonly refundedAmount: number;
  readonly refundedOrders: number;
  readonly averageAmount: number;
  /** Oldest first, one per day, days without orders too. */
  readonly days: readonly { readonly date: Date; readonly amount: number; readonly orders: number }[];
}

/**
 * Thirty days up to the newest order, in the currency that most orders have: sums over several would mean nothing.
 *
 * @param orders newest first
 * @returns `null` without orders
 */
export function summarize(orders: readonly Order[]): OrderSummary | null {
  const newest = orders[0];
  if (!newest) return null;
  const currency = mostFrequent(orders.map((order) => order.currency));
  const lastDay = dayOf(newest);
  const firstDay = lastDay - DAYS + 1;
  const counted = orders.filter(
    (order) => order.currency === currency && order.status !== "canceled" && dayOf(order) >= firstDay,
  );
  const days = Array.from({ length: DAYS }, (_, index) => {
    const today = counted.filter((order) => dayOf(order) === firstDay + index);
    return { date: new Date((firstDay + index) * DAY_MS), amount: sum(today.map(netOf)), orders: today.length };
  });
  const netAmount = sum(counted.map(netOf));
  return {
    currency,
    currencyExponent: orders.find((order) => order.currency === currency)?.currencyExponent ?? 2,
    orders: counted.length,
    netAmount,
    refundedAmount: sum(counted.map((order) => order.refundedAmount ?? 0)),
    refundedOrders: counted.filter((order) => (order.refundedAmount ?? 0) > 0).length,
    averageAmount: counted.length === 0 ? 0 : Math.round(netAmount / counted.length),
    days,
  };
}

function netOf(order: Order): number {
  return order.totalAmount - (order.refundedAmount ?? 0);
}

function dayOf(order: Order): number {
  return Math.floor(Date.parse(order.placedAt ?? order.remoteCreatedAt ?? order.firstSeenAt) / DAY_MS);
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

function mostFrequent(values: readonly string[]): string {
  const counts = Map.groupBy(values, (value) => value);
  return [...counts].reduce((best, entry) => (entry[1].length > best[1].length ? entry : best))[0];
}
