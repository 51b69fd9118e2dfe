import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";
import { networksOf, normalizeAddress } from "../../platform/runtime/index.ts";
import type { HttpEnv } from "./env.ts";

/** Proxies that a request may have come through. */
const HOPS_MAX = 16;

/**
 * Who a request comes from: the peer of the connection. Only a peer that is one of our own proxies is believed when it
 * names another in `X-Forwarded-For`; anybody can send that header.
 *
 * @param trustedProxies networks, such as `10.0.0.0/8`; none: the header is ignored
 * @returns `null` when there is no connection, as in tests, or a proxy of ours names somebody in a way that we cannot
 *   read: it must not pass for the proxy itself
 */
export function createClientAddress(trustedProxies: readonly string[]): (c: Context<HttpEnv>) => string | null {
  const trusted = networksOf(trustedProxies);
  return (c) => {
    const hasPeer = (c.env as Partial<HttpEnv["Bindings"]> | undefined)?.incoming !== undefined;
    let address = hasPeer ? normalizeAddress(getConnInfo(c).remote.address ?? "") : null;
    const named = (c.req.header("x-forwarded-for") ?? "").split(",").slice(-HOPS_MAX);
    while (address !== null && trusted.contains(address)) {
      const hop = named.pop()?.trim() ?? "";
      if (hop === "") break;
      address = normalizeAddress(withoutPort(hop));
    }
    return address;
  };
}

/** Some proxies write `203.0.113.7:54321` or `[2001:db8::7]:54321`. */
function withoutPort(hop: string): string {
  const [, v4, v6] = /^(?:([\d.]+):\d+|\[([^\]]+)\](?::\d+)?)$/.exec(hop) ?? [];
  return v4 ?? v6 ?? hop;
}
