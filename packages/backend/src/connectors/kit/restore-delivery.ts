import type { VerifiedDelivery } from "./connector.ts";
import { parseJson } from "./lossless-json.ts";

/**
 * A delivery that `verifySignature` let in, read for the first time. The store holds nothing else; the secret it was
 * signed with may be gone by now.
 *
 * A body that is no JSON, or too deep, is `null`: the connector's `parse` refuses it and it stays in quarantine.
 */
export function restoreDelivery(headers: Readonly<Record<string, string>>, rawBody: Uint8Array): VerifiedDelivery {
  const parsed = parseJson(rawBody);
  // The brand is what this function gives out; nothing else can.
  return { headers, body: "value" in parsed ? parsed.value : null } as VerifiedDelivery;
}
