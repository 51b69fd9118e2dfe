import type { Address, Bag, Order } from "../../model.ts";
import { toShortDecimal } from "../../money.ts";

/** `2026-11-22T10:00:00Z`: GraphQL times are UTC and whole seconds. */
export function time(date: Date): string;
export function time(date: Date | null): string | null;
export function time(date: Date | null): string | null {
  return date ? `${date.toISOString().slice(0, 19)}Z` : null;
}

export function gid(type: string, id: bigint): string {
  return `gid://shopify/${type}/${id}`;
}

export function money(minor: number, currency: string) {
  return { amount: toShortDecimal(minor, currency), currencyCode: currency };
}

export function moneyBag(order: Order, bag: Bag) {
  return {
    shopMoney: money(bag.shop, order.currency),
    presentmentMoney: money(bag.presentment, order.presentmentCurrency),
  };
}

export function addressView(address: Address | null) {
  if (!address) return null;
  const area = [address.city, address.provinceCode, address.country].filter(Boolean).join(", ");
  return {
    __typename: "MailingAddress",
    id: `${gid("MailingAddress", address.id)}?model_name=Address`,
    firstName: address.firstName,
    lastName: address.lastName,
    name: `${address.firstName} ${address.lastName}`.trim(),
    company: address.company,
    address1: address.address1,
    address2: address.address2,
    city: address.city,
    province: address.province,
    provinceCode: address.provinceCode,
    country: address.country,
    countryCodeV2: address.countryCode,
    zip: address.zip,
    phone: address.phone,
    coordinatesValidated: false,
    formatted: () => [address.address1, `${address.zip} ${address.city}`, address.country],
    formattedArea: area,
    latitude: null,
    longitude: null,
    timeZone: null,
    validationResultSummary: null,
  };
}

export function count(size: number, limit: number | null | undefined) {
  if (typeof limit !== "number" || size <= limit) return { count: size, precision: "EXACT" };
  return { count: limit, precision: "AT_LEAST" };
}
