import { startWorker, type Child } from "../child.ts";
import type { CrashWorld } from "../crash-world.ts";
import type { Fault } from "../faults/faults.ts";
import type { WallClock } from "./faketime.ts";

export type Part = "server" | "worker";

/** The world's process and a second worker, each with a wall clock of its own; `null`: where those cannot be had. */
export interface Pair {
  readonly clocks: Readonly<Record<Part, WallClock>> | null;
  readonly world: CrashWorld;
  readonly worker: Child;
}

const JUMP_MS_MAX = 3_600_000;

/** Takes over what the world's own process leaves lying. */
export async function startPair(world: CrashWorld, clocks: Pair["clocks"]): Promise<Pair> {
  return { clocks, world, worker: await startWorker({ ...world.env, ...clocks?.worker.env }) };
}

/** A process that stands still and goes on where it stood, not knowing for how long. */
export function paused(pair: Pair, part: Part, lastsMs: number): Fault {
  const process = () => (part === "server" ? pair.world.child : pair.worker);
  return {
    name: `${part} paused for ${(lastsMs / 1_000).toFixed(1)} s`,
    lastsMs,
    begin: () => process().pause(),
    end: () => process().resume(),
  };
}

/** Wall clocks that are set off, and back again. */
export function clocksSet(
  clocks: Readonly<Record<Part, WallClock>>,
  aheadMs: Partial<Readonly<Record<Part, number>>>,
  lastsMs: number,
): Fault {
  const parts = (["server", "worker"] as const).filter((part) => aheadMs[part] !== undefined);
  const set = async (msOf: (part: Part) => number) => {
    for (const part of parts) await clocks[part].set(msOf(part));
  };
  const said = parts.map((part) => `${part}'s clock ${Math.round((aheadMs[part] ?? 0) / 1_000)} s ahead`);
  return {
    name: said.join(", "),
    lastsMs,
    begin: () => set((part) => aheadMs[part] ?? 0),
    end: () => set(() => 0),
  };
}

/** Each process paused, its clock forward and back by up to an hour, and both clocks apart. */
export function timeFaults(pair: Pair, msMin: number, msMax: number, random: () => number): readonly Fault[] {
  const lastsMs = () => Math.round(msMin + random() * (msMax - msMin));
  const jumpMs = () => Math.round(random() * JUMP_MS_MAX);
  const { clocks } = pair;
  const parts = ["server", "worker"] as const;
  const pauses = parts.map((part) => paused(pair, part, lastsMs()));
  if (clocks === null) return pauses;
  return [
    ...pauses,
    ...parts.flatMap((part) => [
      clocksSet(clocks, { [part]: jumpMs() }, lastsMs()),
      clocksSet(clocks, { [part]: -jumpMs() }, lastsMs()),
    ]),
    clocksSet(clocks, { server: jumpMs(), worker: -jumpMs() }, lastsMs()),
  ];
}
