import ipaddr from "ipaddr.js";
import { isIP } from "node:net";

/** Networks of addresses, parsed once. */
export interface Networks {
  contains(address: string): boolean;
}

/** An address in its one form, IPv4 in IPv6 as IPv4; `null` for what is none. */
export function normalizeAddress(text: string): string | null {
  // A link-local address may carry its interface. `isIP` is strict; ipaddr.js takes "1" and "0x7f.1" too.
  const bare = text.replace(/%.*$/, "");
  return isIP(bare) === 0 ? null : ipaddr.process(bare).toString();
}

/** Whether `text` is an address, or a network such as `10.0.0.0/8` or `2001:db8::/32`. */
export function isNetwork(text: string): boolean {
  const [address = "", bits = null, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || address.includes("%") || rest.length > 0) return false;
  return bits === null || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** @param list each passes {@link isNetwork} */
export function networksOf(list: readonly string[]): Networks {
  const parsed = list.map((text): Cidr =>
    text.includes("/") ? unmapped(ipaddr.parseCIDR(text)) : [ipaddr.process(text), bitsOf(ipaddr.process(text))],
  );
  return {
    contains(text) {
      if (isIP(text) === 0) return false;
      const address = ipaddr.process(text);
      return parsed.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
    },
  };
}

/** The network that an address is of: enough to see a pattern, not to know a person. IPv4 by 24 bits, IPv6 by 48. */
export function networkOf(text: string): string {
  const address = ipaddr.process(text);
  return address.kind() === "ipv4"
    ? `${ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/24`).toString()}/24`
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/48`).toString()}/48`;
}

type Address = ReturnType<typeof ipaddr.process>;
type Cidr = [Address, number];

function bitsOf(address: Address): number {
  return address.kind() === "ipv4" ? 32 : 128;
}

/** `::ffff:10.0.0.0/104` is `10.0.0.0/8`: addresses are compared as IPv4. */
function unmapped([network, bits]: Cidr): Cidr {
  return network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= 96
    ? [network.toIPv4Address(), bits - 96]
    : [network, bits];
}
