import { z } from "zod";
import { ConnectionPage, dataOf, type Webhooks } from "../kit/index.ts";
import { read, write } from "./api.ts";
import { WEBHOOK_SUBSCRIPTION_CREATE, WEBHOOK_SUBSCRIPTION_DELETE, WEBHOOK_SUBSCRIPTIONS } from "./queries.ts";

const PAGE_SIZE = 100;

/**
 * Subscriptions of one shop, made through the API. Shopify deletes one after eight failures in a row without a word, so
 * they are listed and made again where they are missing. Compliance topics cannot be subscribed to here: they stand in
 * the app's own configuration.
 */
export const subscriptions: Webhooks["subscriptions"] = {
  list: (cursor) => read(WEBHOOK_SUBSCRIPTIONS, { first: PAGE_SIZE, after: cursor }, 10),
  parseList(response) {
    const page = ConnectionPage.parse(dataOf(response)["webhookSubscriptions"]);
    return {
      subscriptions: page.nodes.map((node) => {
        const { id, topic, uri } = Subscription.parse(node);
        return { remoteId: id, topic, uri };
      }),
      nextCursor: page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null,
    };
  },
  create: (topic, uri) => write(WEBHOOK_SUBSCRIPTION_CREATE, { topic, subscription: { uri, format: "JSON" } }),
  parseCreate(response) {
    const { webhookSubscription, userErrors } = Created.parse(dataOf(response)["webhookSubscriptionCreate"]);
    const [error] = userErrors;
    return {
      remoteId: webhookSubscription?.id ?? null,
      problem: error === undefined ? null : problemOf(error.message),
    };
  },
  remove: (remoteId) => write(WEBHOOK_SUBSCRIPTION_DELETE, { id: remoteId }),
};

/** A word of ours: what a provider wrote goes into no log. */
function problemOf(message: string): string {
  return /already been taken/i.test(message) ? "already_exists" : "refused";
}

const Subscription = z.looseObject({ id: z.string(), topic: z.string(), uri: z.string() });
const Created = z.looseObject({
  webhookSubscription: z.looseObject({ id: z.string() }).nullable(),
  userErrors: z.array(z.looseObject({ message: z.string() })),
});
