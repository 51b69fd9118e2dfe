import type { TcpProxy } from "../../harness/tcp-proxy.ts";
import type { Fault } from "./faults.ts";

const LATENCY_MS = 250;

/** `docs/reliability.md` says why: a database that takes statements and never answers is not noticed. */
const NOT_HALF_OPEN = "database";

/** What happens on each of these wires. */
export function networkFaults(wires: Readonly<Record<string, TcpProxy>>, lastsMs: number): readonly Fault[] {
  return Object.entries(wires).flatMap(([name, wire]) =>
    (
      [
        ["cut with a reset", () => wire.reset()],
        ["silent", () => wire.silence()],
        ["half open", () => wire.strand()],
        [`${2 * LATENCY_MS} ms slower`, () => wire.latency(LATENCY_MS)],
      ] as const
    )
      .filter(([what]) => name !== NOT_HALF_OPEN || what !== "half open")
      .map(([what, begin]): Fault => ({ name: `${name}: ${what}`, lastsMs, begin, end: () => wire.pass() })),
  );
}
