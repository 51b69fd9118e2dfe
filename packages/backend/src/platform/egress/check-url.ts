import { isIP } from "node:net";
import { classify } from "./classify.ts";
import type { EgressProblem, EgressRequest } from "./request.ts";

/** Ports of hosts that others choose. Nothing but web servers is reached through us. */
const PORTS: ReadonlySet<string> = new Set(["", "80", "443", "8443"]);
const URL_LENGTH_MAX = 8_192;

/**
 * Reads a URL and refuses what no request may go to, before any name is looked up. Spellings are judged by what the
 * parser made of them: `0x7f.1` is `127.0.0.1` by then.
 */
export function checkUrl(
  request: Pick<EgressRequest, "url" | "exemptOrigins" | "requireHttps">,
): { readonly url: URL; readonly exempt: boolean } | { readonly problem: EgressProblem } {
  if (request.url.length > URL_LENGTH_MAX || !URL.canParse(request.url)) return { problem: "invalid_url" };
  const url = new URL(request.url);
  if (url.protocol !== "https:" && url.protocol !== "http:") return { problem: "invalid_url" };
  if (url.username !== "" || url.password !== "") return { problem: "invalid_url" };
  if (request.exemptOrigins.includes(url.origin)) return { url, exempt: true };
  if (request.requireHttps === true && url.protocol !== "https:") return { problem: "invalid_url" };
  if (!PORTS.has(url.port)) return { problem: "blocked_address" };
  return isPublicName(hostnameOf(url)) ? { url, exempt: false } : { problem: "blocked_address" };
}

/** The host without the brackets of an IPv6 literal. */
export function hostnameOf(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}

/** An allowed literal, or a name with a dot inside that does not end in one: others mean this machine or network. */
function isPublicName(hostname: string): boolean {
  if (isIP(hostname) !== 0) return classify(hostname) === "allowed";
  return /^[^.].*\.[^.]+$/.test(hostname) && !hostname.endsWith(".localhost");
}
