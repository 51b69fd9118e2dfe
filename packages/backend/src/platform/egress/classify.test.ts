import { describe, expect, test } from "vitest";
import { classify } from "./classify.ts";

/** A special-purpose block by its first and last address, and a neighbour outside; `null`: the neighbour is special too. */
type Row = readonly [what: string, first: string, last: string, outside: string | null];

const IPV4_BLOCKS: readonly Row[] = [
  ["this network", "0.0.0.0", "0.255.255.255", "1.0.0.0"],
  ["private 10/8", "10.0.0.0", "10.255.255.255", "11.0.0.0"],
  ["carrier-grade NAT", "100.64.0.0", "100.127.255.255", "100.128.0.0"],
  ["loopback", "127.0.0.0", "127.255.255.255", "128.0.0.0"],
  ["link-local", "169.254.0.0", "169.254.255.255", "169.255.0.0"],
  ["private 172.16/12", "172.16.0.0", "172.31.255.255", "172.32.0.0"],
  ["protocol assignments", "192.0.0.0", "192.0.0.255", "192.0.1.0"],
  ["documentation 1", "192.0.2.0", "192.0.2.255", "192.0.3.0"],
  ["AS112", "192.31.196.0", "192.31.196.255", "192.31.197.0"],
  ["AMT", "192.52.193.0", "192.52.193.255", "192.52.194.0"],
  ["6to4 relays", "192.88.99.0", "192.88.99.255", "192.88.100.0"],
  ["private 192.168/16", "192.168.0.0", "192.168.255.255", "192.169.0.0"],
  ["AS112, direct delegation", "192.175.48.0", "192.175.48.255", "192.175.49.0"],
  ["benchmarking", "198.18.0.0", "198.19.255.255", "198.20.0.0"],
  ["documentation 2", "198.51.100.0", "198.51.100.255", "198.51.101.0"],
  ["documentation 3", "203.0.113.0", "203.0.113.255", "203.0.114.0"],
  ["multicast", "224.0.0.0", "239.255.255.255", null],
  ["class E and broadcast", "240.0.0.0", "255.255.255.255", null],
  ["Azure's internal endpoint", "168.63.129.16", "168.63.129.16", "168.63.129.17"],
];

const IPV6_BLOCKS: readonly Row[] = [
  ["everything below global unicast", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"],
  ["unspecified", "::", "::", null],
  ["loopback", "::1", "::1", null],
  ["IPv4-compatible", "::7f00:1", "::ffff:ffff", null],
  ["IPv4-translated", "::ffff:0:0:0", "::ffff:0:ffff:ffff", null],
  ["NAT64", "64:ff9b::", "64:ff9b::ffff:ffff", null],
  ["NAT64, local use", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", null],
  ["discard", "100::", "100::ffff:ffff:ffff:ffff", null],
  ["dummy prefix", "100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", null],
  ["protocol assignments", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"],
  ["Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", null],
  ["benchmarking", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", null],
  ["ORCHID", "2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", null],
  ["ORCHIDv2", "2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", null],
  ["documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"],
  ["6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"],
  ["AS112", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "2620:4f:8001::"],
  ["documentation 2", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"],
  ["everything above global unicast", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff::1"],
  ["segment routing", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", null],
  ["unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", null],
  ["link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", null],
  ["site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", null],
  ["multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", null],
];

describe("classify", () => {
  test.each([...IPV4_BLOCKS, ...IPV6_BLOCKS])("blocks %s: %s to %s, and not %s", (_, first, last, outside) => {
    expect(classify(first)).toBe("blocked");
    expect(classify(last)).toBe("blocked");
    if (outside !== null) expect(classify(outside)).toBe("allowed");
  });

  test.each(["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"])(
    "allows the public address %s",
    (address) => expect(classify(address)).toBe("allowed"),
  );

  test.each(IPV4_BLOCKS.map(([, first]) => first))("judges ::ffff:%s as the IPv4 address inside", (address) => {
    expect(classify(`::ffff:${address}`)).toBe("blocked");
  });

  test.each(IPV4_BLOCKS)("blocks %s in every IPv6 form that carries it", (_, first) => {
    const hex = first.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
    const inside = `${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
    for (const carrier of [`::${inside}`, `::ffff:${inside}`, `::ffff:0:${inside}`, `64:ff9b::${inside}`]) {
      expect(classify(carrier), carrier).toBe("blocked");
    }
    for (const carrier of [`64:ff9b:1::${inside}`, `2002:${inside}::1`, `2001::${inside}`]) {
      expect(classify(carrier), carrier).toBe("blocked");
    }
  });

  test.each(["::1", "::7f00:1", "::127.0.0.1", "::ffff:7f00:1", "::ffff:0:7f00:1", "fd00:ec2::254", "e000::1"])(
    "blocks %s",
    (address) => expect(classify(address)).toBe("blocked"),
  );

  test.each(["", "localhost", "0x7f.1", "2130706433", "127.1", "8.8.8.8.", "8.8.8.8/32", "[2606::1]", "2606::1%eth0"])(
    "blocks what is no canonical address: %j",
    (text) => expect(classify(text)).toBe("blocked"),
  );
});
