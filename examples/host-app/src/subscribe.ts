import type { Patchbay } from "@patchbay/node";

/**
 * Makes sure that events come to `url`, and gives the secret that signs them.
 *
 * The secret lives in memory only. After a restart the endpoint is still there, with what it has yet to deliver, so it
 * gets a new secret instead of being made again. Your product would keep the secret where it keeps its others.
 */
export async function subscribe(patchbay: Patchbay, url: string): Promise<string> {
  for await (const endpoint of patchbay.webhookEndpoints.list()) {
    if (endpoint.url !== url) continue;
    if (endpoint.status === "disabled") await patchbay.webhookEndpoints.update(endpoint.id, { status: "enabled" });
    return (await patchbay.webhookEndpoints.rotateSecret(endpoint.id, { graceHours: 0 })).secret;
  }
  return (await patchbay.webhookEndpoints.create({ url, description: "Tideline, the example product" })).secret;
}
