import type { Sandbox } from "@patchbay/sandbox";
import { createHmac, randomUUID } from "node:crypto";

export const SHOP = "acme-goods.myshopify.com";
const CLIENT_SECRET = "sandbox-secret-0001";

export interface WebhookPost {
  /** Where to: a connection's `/in` address. */
  readonly url: string;
  readonly topic: string;
  readonly body: string;
  /** The same id makes copies of one webhook; left out: a new one. */
  readonly webhookId?: string;
  readonly triggeredAt?: Date;
  readonly secret?: string;
}

/** Posts a webhook as Shopify does, signed with the app's secret. @returns the status */
export async function postWebhook(post: WebhookPost): Promise<number> {
  const { topic, body, webhookId = randomUUID(), triggeredAt = new Date(), secret = CLIENT_SECRET } = post;
  const response = await fetch(post.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-shopify-topic": topic,
      "x-shopify-shop-domain": SHOP,
      "x-shopify-api-version": "2026-10",
      "x-shopify-webhook-id": webhookId,
      "x-shopify-triggered-at": triggeredAt.toISOString(),
      "x-shopify-hmac-sha256": createHmac("sha256", secret).update(body).digest("base64"),
    },
    body,
  });
  await response.body?.cancel();
  return response.status;
}

/** Where the store was told to send its webhooks. */
export async function inboxUrl(sandbox: Sandbox, shop = SHOP): Promise<string> {
  const response = await fetch(`${sandbox.url}/_control/shops/${shop}`);
  // The sandbox's own answer, as its control API documents it.
  const { subscriptions } = (await response.json()) as { subscriptions: readonly { uri: string }[] };
  const [first] = subscriptions;
  if (first === undefined) throw new Error("the store has no subscription");
  return first.uri;
}
