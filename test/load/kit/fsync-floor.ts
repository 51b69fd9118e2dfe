import { open, rm } from "node:fs/promises";
import { join } from "node:path";

const BLOCK_BYTES = 8_192;

/**
 * What one block on its way to this disk takes: written, then synced. Nothing that promises durability answers faster.
 *
 * @returns milliseconds, one per round
 */
export async function measureFsync(folder: string, rounds: number): Promise<readonly number[]> {
  const path = join(folder, "fsync-floor");
  const file = await open(path, "w");
  const block = Buffer.alloc(BLOCK_BYTES, "x");
  const times: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const startedMs = performance.now();
      await file.write(block, 0, BLOCK_BYTES, 0);
      await file.datasync();
      times.push(performance.now() - startedMs);
    }
  } finally {
    await file.close();
    await rm(path);
  }
  return times;
}
