import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";

/** `apt-get install faketime`; CI installs it. `null`: it is not here. */
export function findFaketime(): string | null {
  return FOLDERS.map((folder) => `${folder}/faketime/libfaketimeMT.so.1`).find((path) => existsSync(path)) ?? null;
}

const FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];

/** The wall clock of a process that runs. Its monotonic clock stays true, as when somebody sets a machine's time. */
export interface WallClock {
  /** For its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** It notices within a second. */
  set(aheadMs: number): Promise<void>;
}

/** @param file says how far ahead the clock is */
export async function createWallClock(library: string, file: string): Promise<WallClock> {
  const set = (aheadMs: number) => writeFile(file, `${aheadMs < 0 ? "-" : "+"}${Math.abs(aheadMs / 1_000)}\n`);
  await set(0);
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      DONT_FAKE_MONOTONIC: "1",
    },
    set,
  };
}
