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
 * @returns `null` when there is no connection, as in tests
 */
export function createClientAddress(trustedProxies: readonly string[]): (c: Context<HttpEnv>) => string | null {
  const trusted = networksOf(trustedProxies);
  return (c) => {
    const hasPeer = (c.env as Partial<HttpEnv["Bindings"]> | undefined)?.incoming !== undefined;
    let address = hasPeer ? normalizeAddress(getConnInfo(c).remote.address ?? "") : null;
    const named = (c.req.header("x-forwarded-for") ?? "").split(",").slice(-HOPS_MAX);
    while (address !== null && trusted.contains(address)) {
      const before = normalizeAddress(named.pop()?.trim() ?? "");
      if (before === null) break;
      address = before;
    }
    return address;
  };
}
