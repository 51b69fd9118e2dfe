import { z } from "zod";
import { dataOf, defineResource, type Identity } from "../../kit/index.ts";
import { gid, idOfType, numericId, read } from "../api.ts";
import { SHOP_ACCOUNT, SHOP_IDENTITY } from "../queries.ts";
import { adminUrl, Gid, Instant, remoteFacts } from "../raw.ts";

const RawShop = z.looseObject({
  id: Gid,
  name: z.string(),
  myshopifyDomain: z.string(),
  contactEmail: z.string(),
  currencyCode: z.string(),
  ianaTimezone: z.string(),
  primaryDomain: z.looseObject({ url: z.string() }),
  plan: z.looseObject({ publicDisplayName: z.string(), partnerDevelopment: z.boolean() }),
  createdAt: Instant,
  updatedAt: Instant,
});

export const shop = defineResource({
  name: "shop",
  model: "account",
  childOf: null,
  raw: RawShop,
  projectionVersion: 1,
  changes: "full_scan",
  deletions: "never",
  overlapSeconds: 0,
  list: {
    first: () => read(SHOP_ACCOUNT, {}, 1),
    next: () => null,
    items: (response) => [dataOf(response)["shop"]],
    resize: (request) => request,
    pageSize: { initial: 1, min: 1, max: 1 },
    count: { request: () => read(SHOP_ACCOUNT, {}, 1), parse: () => 1 },
    expansions: () => [],
  },
  // There is one shop behind a token, so it is read whatever id is asked for, and told by its own.
  batchRead: {
    maxIds: 1,
    request: () => read(SHOP_ACCOUNT, {}, 1),
    parse(response) {
      const item = RawShop.parse(dataOf(response)["shop"]);
      return [{ remoteId: numericId(item.id), item }];
    },
    expansions: () => [],
  },
  completeChildren: [],
  strictVersion: () => null,
  normalize: (raw) => [
    {
      model: "account",
      data: {
        ...remoteFacts(raw, adminUrl(raw, ""), { testMode: raw.plan.partnerDevelopment }),
        name: raw.name,
        url: raw.primaryDomain.url,
        email: raw.contactEmail,
        defaultCurrency: raw.currencyCode,
        timezone: raw.ianaTimezone,
        plan: raw.plan.publicDisplayName,
      },
    },
  ],
});

/** Keyed by the shop's gid: a domain can move to another shop, the gid cannot. */
export const identity: Identity = {
  request: () => read(SHOP_IDENTITY, {}, 2),
  parse(response) {
    const { shop, currentAppInstallation } = IdentityAnswer.parse(dataOf(response));
    return {
      accountId: shop.id,
      name: shop.name,
      url: shop.primaryDomain.url,
      testMode: shop.plan.partnerDevelopment,
      grantedScopes: currentAppInstallation.accessScopes.map((scope) => scope.handle),
      aliases: [shop.myshopifyDomain, numericId(shop.id)],
    };
  },
};

/** The key that `identity` gives a shop, from its number or gid in a webhook's body. */
export function accountKeyOf(shopId: string | number): string | null {
  const id = idOfType("Shop", shopId) ?? (/^\d+$/.test(String(shopId)) ? String(shopId) : null);
  return id === null ? null : gid("Shop", id);
}

const IdentityAnswer = z.looseObject({
  shop: RawShop,
  currentAppInstallation: z.looseObject({ accessScopes: z.array(z.looseObject({ handle: z.string() })) }),
});
