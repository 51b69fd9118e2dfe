import ipaddr from "ipaddr.js";
import { isIP } from "node:net";

/** Whether we may connect to an address that somebody else chose. */
export type AddressVerdict = "allowed" | "blocked";

/**
 * Judges numeric addresses; anything else is blocked.
 *
 * IPv4 is allowed outside the special-purpose registry, multicast and class E. IPv6 is allowed only inside the global
 * unicast block, without the parts of it that are special or carry IPv4 inside; mapped IPv4 is judged as IPv4.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function classify(address: string): AddressVerdict {
  // `ipaddr.js` also reads spellings such as `0x7f.1`; only canonical ones may come this far. No zones.
  if (isIP(address) === 0 || address.includes("%")) return "blocked";
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") {
    return parsed.range() !== "unicast" || isIn(parsed, BLOCKED_IPV4) ? "blocked" : "allowed";
  }
  return isIn(parsed, GLOBAL_IPV6) && !isIn(parsed, BLOCKED_IPV6) ? "allowed" : "blocked";
}

type Block = [ipaddr.IPv4 | ipaddr.IPv6, number];
const blocks = (...cidrs: readonly string[]): readonly Block[] => cidrs.map((cidr) => ipaddr.parseCIDR(cidr));

const BLOCKED_IPV4 = blocks(
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carrier-grade NAT, also a cloud's metadata service (100.100.100.200)
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local, also the clouds' metadata service
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments, also a cloud's metadata service (192.0.0.192)
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // AMT
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // benchmarking
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // class E and broadcast
  "168.63.129.16/32", // Azure's internal endpoint, in the middle of a public block
);

const GLOBAL_IPV6 = blocks("2000::/3");
const BLOCKED_IPV6 = blocks(
  "2001::/23", // protocol assignments, Teredo, ORCHID
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: IPv4 inside
  "2620:4f:8000::/48", // AS112
  "3fff::/20", // documentation
);

function isIn(address: ipaddr.IPv4 | ipaddr.IPv6, list: readonly Block[]): boolean {
  return list.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
}
