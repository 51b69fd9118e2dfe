import { createHmac } from "node:crypto";
import type { SignatureScheme, SignedRequest } from "./signature.ts";
import { signedContent, signingKey } from "./signed-content.ts";

/**
 * Signs as the provider does, for tests of a connector: {@link verifySignature} is what the product uses.
 *
 * @returns the headers to add; in a scheme with several names the one of the family that `request.headers` belong to
 */
export function signDelivery(
  scheme: SignatureScheme,
  secret: string,
  request: SignedRequest,
): Readonly<Record<string, string>> {
  const ms = request.receivedAt.getTime();
  const time = scheme.kind === "request" ? String(ms) : String(Math.floor(ms / 1_000));
  const id = "msg_test";
  const hmac = createHmac(scheme.kind === "body" ? scheme.algorithm : "sha256", signingKey(scheme, secret));
  for (const part of signedContent(scheme, { ...request, id, time })) hmac.update(part);
  switch (scheme.kind) {
    case "body":
      return { [headerOf(scheme.headers, request.headers)]: scheme.prefix + hmac.digest(scheme.encoding) };
    case "timestamped":
      return { [scheme.header]: `${scheme.timeKey}=${time},${scheme.signatureKey}=${hmac.digest(scheme.encoding)}` };
    case "request":
      return { [scheme.header]: hmac.digest(scheme.encoding), [scheme.timeHeader]: time };
    case "standard_webhooks":
      return {
        [`${scheme.headerPrefix}-id`]: id,
        [`${scheme.headerPrefix}-timestamp`]: time,
        [`${scheme.headerPrefix}-signature`]: `v1,${hmac.digest("base64")}`,
      };
  }
}

function headerOf(names: readonly string[], others: Readonly<Record<string, string>>): string {
  const family = Object.keys(others)[0]?.split("-")[0] ?? "";
  return names.find((name) => name.split("-")[0] === family) ?? names[0] ?? "";
}
