import type { Json } from "../json.ts";
import type { Address, Bag, Order } from "../model.ts";
import { toDecimal } from "../money.ts";

/** REST bodies carry times of the store's zone; the sandbox's stores all write UTC with an explicit offset. */
export function restTime(date: Date | null): string | null {
  return date ? `${date.toISOString().slice(0, 19)}+00:00` : null;
}

export function moneySet(order: Order, bag: Bag): Json {
  return {
    shop_money: { amount: toDecimal(bag.shop, order.currency), currency_code: order.currency },
    presentment_money: {
      amount: toDecimal(bag.presentment, order.presentmentCurrency),
      currency_code: order.presentmentCurrency,
    },
  };
}

export function gid(type: string, id: bigint): string {
  return `gid://shopify/${type}/${id}`;
}

export function orderAddress(address: Address | null): Json {
  if (!address) return null;
  return {
    first_name: address.firstName,
    address1: address.address1,
    phone: address.phone,
    city: address.city,
    zip: address.zip,
    province: address.province,
    country: address.country,
    last_name: address.lastName,
    address2: address.address2,
    company: address.company,
    latitude: null,
    longitude: null,
    name: `${address.firstName} ${address.lastName}`.trim(),
    country_code: address.countryCode,
    province_code: address.provinceCode,
  };
}
