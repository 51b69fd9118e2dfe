import { AppError } from "@patchbay/shared";
import { checkUrl } from "../../platform/egress/index.ts";

/** What decides which URLs an endpoint may have. */
export interface UrlPolicy {
  readonly mode: "live" | "test";
  /** Exact origins that endpoints of test workspaces may have beside `https:`. */
  readonly endpointOrigins: readonly string[];
}

/**
 * Refuses URLs that we do not deliver to. Where a name leads is checked again at every attempt, by the egress guard.
 *
 * @throws AppError `endpoint_url_refused` with what to do instead
 */
export function checkEndpointUrl(text: string, policy: UrlPolicy): void {
  const url = URL.parse(text);
  if (url === null) throw refused("this is not a URL; give one such as https://example.com/webhooks");
  if (url.username !== "" || url.password !== "") {
    throw refused("take user and password out of the URL; deliveries are signed, check the signature instead");
  }
  if (isExempt(text, policy)) return;
  if (url.protocol !== "https:") throw refused(`begin with https://${policy.mode === "live" ? "" : localHint(url)}`);
  if ("problem" in checkUrl({ url: text, exemptOrigins: [], requireHttps: true })) {
    throw refused("use a public host name and port 443 or 8443; private addresses are never called");
  }
}

/** Whether the URL's origin is one that skips the checks on addresses: our own examples and tests. */
export function isExempt(text: string, policy: UrlPolicy): boolean {
  const origin = URL.parse(text)?.origin;
  return policy.mode === "test" && origin !== undefined && policy.endpointOrigins.includes(origin);
}

function localHint(url: URL): string {
  return `, or run \`patchbay listen --forward ${url.href}\` to receive events on your own machine, or, if you run this Patchbay, add ${url.origin} to PATCHBAY_ENDPOINT_ORIGINS`;
}

function refused(message: string): AppError {
  return new AppError("endpoint_url_refused", message, { errors: [{ path: "url", message }] });
}
