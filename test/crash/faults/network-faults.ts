import type { TcpProxy } from "../../harness/tcp-proxy.ts";
import type { Fault } from "./faults.ts";

const LATENCY_MS = 250;
const STUTTER_SHARE = 0.05;

/** What happens on each of these wires. */
export function networkFaults(
  wires: Readonly<Record<string, TcpProxy>>,
  lastsMs: number,
  random: () => number,
): readonly Fault[] {
  return Object.entries(wires).flatMap(([name, wire]) =>
    (
      [
        ["cut with a reset", () => wire.reset()],
        ["silent", () => wire.silence()],
        ["half open", () => wire.strand()],
        [`${2 * LATENCY_MS} ms slower`, () => wire.latency(LATENCY_MS)],
        [`${100 * STUTTER_SHARE} % comes 200 to 1,000 ms late`, () => wire.stutter(STUTTER_SHARE, random)],
      ] as const
    ).map(([what, begin]): Fault => ({ name: `${name}: ${what}`, lastsMs, begin, end: () => wire.pass() })),
  );
}
