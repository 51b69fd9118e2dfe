import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const CHILD = fileURLToPath(new URL("testing/seal-nonces.ts", import.meta.url));
const PROCESSES = 4;
/** 10^7 in all with `pnpm test:long`. */
const PER_PROCESS = process.env["PATCHBAY_TEST_LONG"] === "1" ? 2_500_000 : 50_000;
const NONCE_BYTES = 24;
const RUN_MS_MAX = 15 * 60_000;
/** The nonces are compared in parts, by their first bits, so that few are in memory at once. */
const PARTS = 16;

test(
  "V5: no two values sealed by four processes share a nonce",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "patchbay-nonces-"));
    try {
      const files = Array.from({ length: PROCESSES }, (_, index) => join(folder, String(index)));
      await Promise.all(files.map(sealInto));
      let seen = 0;
      let distinct = 0;
      for (let part = 0; part < PARTS; part++) {
        const found = await noncesOf(files, part);
        seen += found.count;
        distinct += found.distinct;
      }
      process.stdout.write(`V5: ${seen} nonces of ${PROCESSES} processes, ${seen - distinct} duplicates\n`);
      expect(seen).toBe(PROCESSES * PER_PROCESS);
      expect(seen - distinct).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  RUN_MS_MAX,
);

async function sealInto(file: string): Promise<void> {
  const child = spawn(process.execPath, [CHILD, file, String(PER_PROCESS)], { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`a sealing process ended with ${code}`);
}

async function noncesOf(files: readonly string[], part: number): Promise<{ count: number; distinct: number }> {
  const nonces = new Set<string>();
  let count = 0;
  for (const file of files) {
    let rest = Buffer.alloc(0);
    for await (const chunk of createReadStream(file, { highWaterMark: NONCE_BYTES * 10_000 })) {
      const bytes = Buffer.concat([rest, chunk as Buffer]);
      const whole = bytes.byteLength - (bytes.byteLength % NONCE_BYTES);
      for (let at = 0; at < whole; at += NONCE_BYTES) {
        if (bytes.readUInt8(at) % PARTS !== part) continue;
        count += 1;
        nonces.add(bytes.toString("latin1", at, at + NONCE_BYTES));
      }
      rest = bytes.subarray(whole);
    }
  }
  return { count, distinct: nonces.size };
}
