import { AppError } from "@patchbay/shared";

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
  if (isExempt(text, policy) || url.protocol === "https:") return;
  if (policy.mode === "live") throw refused("endpoints of live workspaces must begin with https://");
  const hint = `or add ${url.origin} to PATCHBAY_ENDPOINT_ORIGINS, or run \`patchbay listen --forward ${url.origin}\``;
  throw refused(`use an https:// URL, ${hint} to receive events on your own machine`);
}

/** Whether the URL's origin is one that skips the checks on addresses: our own examples and tests. */
export function isExempt(text: string, policy: UrlPolicy): boolean {
  const origin = URL.parse(text)?.origin;
  return policy.mode === "test" && origin !== undefined && policy.endpointOrigins.includes(origin);
}

function refused(message: string): AppError {
  return new AppError("endpoint_url_refused", message, { errors: [{ path: "url", message }] });
}
