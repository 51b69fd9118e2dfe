import { expect, test } from "vitest";
import { CreateWebhookEndpoint, UpdateWebhookEndpoint } from "./webhook-endpoints.ts";

const url = "https://example.com/webhooks";

test.each(["types", "models", "tenantIds", "providers"])(
  "an empty list of %s is refused, and says how to mean all",
  (name) => {
    for (const schema of [CreateWebhookEndpoint, UpdateWebhookEndpoint]) {
      expect(schema.safeParse({ url, [name]: [] }).error?.issues[0]?.message).toMatch(/leave it out for all/);
    }
    expect(UpdateWebhookEndpoint.safeParse({ [name]: null }).success).toBe(true);
  },
);
