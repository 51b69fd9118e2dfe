import { createHash, hash } from "node:crypto";
import type { TableSum } from "./format.ts";

/** Counts and hashes rows as they go by, each with its line break. */
export interface RowSum {
  add(row: Buffer): void;
  of(table: string): TableSum;
}

export function createRowSum(): RowSum {
  const all = createHash("sha256");
  let rows = 0;
  let digest = 0n;
  return {
    add(row) {
      rows += 1;
      all.update(row);
      digest = (digest + BigInt(`0x${hash("sha256", row, "hex")}`)) & MASK;
    },
    of: (table) => ({
      table,
      rows,
      sha256: all.copy().digest("hex"),
      digest: digest.toString(16).padStart(64, "0"),
    }),
  };
}

const MASK = (1n << 256n) - 1n;
