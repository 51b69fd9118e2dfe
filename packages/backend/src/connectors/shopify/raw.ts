/** Parts that the raw shapes of several resources share, and what they become. */
import type { Address, AddressType, RemoteFacts, UnavailableReason } from "@patchbay/shared";
import { parseDecimal } from "@patchbay/shared";
import { z } from "zod";
import { PageInfo } from "../kit/index.ts";
import { GID, numericId } from "./api.ts";

export const Gid = z.string().regex(GID);
export const Instant = z.iso.datetime({ offset: true });
/** A decimal that is a safe integer in minor units of any currency: `normalize` has no item to refuse any more. */
export const Amount = z.string().regex(/^-?\d{1,12}(?:\.\d{1,20})?$/);

export const Money = z.looseObject({ amount: Amount, currencyCode: z.string() });
export type Money = z.output<typeof Money>;
/** An amount in the shop's currency. */
export const ShopMoney = z.looseObject({ shopMoney: Money });
/** An amount as the shop and as the buyer saw it. */
export const BothMoney = z.looseObject({ shopMoney: Money, presentmentMoney: Money });

/** What `lists.ts` puts beside every item. */
export const Beside = {
  shop: z.looseObject({ currencyCode: z.string(), myshopifyDomain: z.string() }),
  denied: z.array(z.looseObject({ path: z.string(), reason: z.enum(["scope_missing", "protected_data"]) })).optional(),
};
export type ShopFacts = z.output<typeof Beside.shop>;

export const connectionOf = <Node extends z.ZodType>(node: Node) =>
  z.looseObject({ nodes: z.array(node), pageInfo: PageInfo });

export const RawAddress = z.looseObject({
  name: z.string().nullable(),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  company: z.string().nullable(),
  address1: z.string().nullable(),
  address2: z.string().nullable(),
  city: z.string().nullable(),
  province: z.string().nullable(),
  provinceCode: z.string().nullable(),
  zip: z.string().nullable(),
  country: z.string().nullable(),
  countryCodeV2: z.string().nullable(),
  phone: z.string().nullable(),
});

export function toAddress(raw: z.output<typeof RawAddress> | null, type: AddressType): Address | null {
  if (raw === null) return null;
  return {
    type,
    name: raw.name,
    firstName: raw.firstName,
    lastName: raw.lastName,
    company: raw.company,
    line1: raw.address1,
    line2: raw.address2,
    city: raw.city,
    region: raw.province,
    regionCode: raw.provinceCode,
    postalCode: raw.zip,
    country: raw.country,
    countryCode: raw.countryCodeV2,
    phone: raw.phone,
  };
}

/** Minor units of an amount in the shop's currency. */
export function shopAmount(bag: z.output<typeof ShopMoney>): number {
  return minorUnits(bag.shopMoney);
}

export function shopAmountOrNull(bag: z.output<typeof ShopMoney> | null): number | null {
  return bag && shopAmount(bag);
}

export function minorUnits(money: Money): number {
  return parseDecimal(money.amount, money.currencyCode).amount;
}

/** RFC 3339 with milliseconds, in UTC. */
export function instant(text: string): string {
  return new Date(text).toISOString();
}

export function instantOrNull(text: string | null): string | null {
  return text === null ? null : instant(text);
}

/** Our word for one of Shopify's, `unknown` for one that came with a later version of the API. */
export function word<const Words extends Readonly<Record<string, string>>>(
  words: Words,
  remote: string,
): Words[keyof Words] | "unknown" {
  // The keys of `words` are its own; `in` would also see what every object inherits.
  return Object.hasOwn(words, remote) ? (words[remote] as Words[keyof Words]) : "unknown";
}

export function wordOrNull<const Words extends Readonly<Record<string, string>>>(
  words: Words,
  remote: string | null,
): Words[keyof Words] | "unknown" | null {
  return remote === null ? null : word(words, remote);
}

/** Empty text is Shopify's way to say that a required text has no value. */
export function textOrNull(text: string | null): string | null {
  return text === "" ? null : text;
}

interface Facts {
  readonly id: string;
  readonly createdAt: string | null;
  readonly updatedAt: string;
  readonly denied?: readonly { readonly path: string; readonly reason: UnavailableReason }[] | undefined;
}

/**
 * The facts every record has.
 *
 * @param fields our name of each field that may be denied, by its path in the query
 */
export function remoteFacts(
  raw: Facts,
  remoteUrl: string,
  { testMode = false, fields = {} }: { testMode?: boolean; fields?: Readonly<Record<string, string>> } = {},
): RemoteFacts {
  return {
    remoteId: numericId(raw.id),
    remoteGid: raw.id,
    remoteUrl,
    remoteCreatedAt: instantOrNull(raw.createdAt),
    remoteUpdatedAt: instant(raw.updatedAt),
    testMode,
    customFields: {},
    unavailableFields: Object.fromEntries((raw.denied ?? []).map(({ path, reason }) => [fields[path] ?? path, reason])),
  };
}

/** A page of the shop's admin. */
export function adminUrl(shop: Pick<ShopFacts, "myshopifyDomain">, path: string): string {
  return `https://${shop.myshopifyDomain}/admin${path}`;
}
