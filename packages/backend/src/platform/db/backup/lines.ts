import { BackupFileError } from "./backup-error.ts";

/** Whole lines with their breaks, many at a time. @throws BackupFileError when a line is too long or the last has no break */
export async function* linesOf(chunks: AsyncIterable<Buffer>, lineBytesMax: number): AsyncGenerator<Buffer[], void> {
  let started: Buffer[] = [];
  let startedBytes = 0;
  for await (const chunk of chunks) {
    const lines: Buffer[] = [];
    let from = 0;
    for (let at = chunk.indexOf(BREAK); at !== -1; at = chunk.indexOf(BREAK, from)) {
      const line = chunk.subarray(from, at + 1);
      lines.push(started.length === 0 ? line : Buffer.concat([...started, line]));
      started = [];
      startedBytes = 0;
      from = at + 1;
    }
    if (from < chunk.byteLength) {
      started.push(chunk.subarray(from));
      startedBytes += chunk.byteLength - from;
    }
    if (startedBytes > lineBytesMax) throw new BackupFileError("The backup is damaged: a line of it has no end.");
    if (lines.length > 0) yield lines;
  }
  if (started.length > 0) throw new BackupFileError("The backup is cut off.");
}

const BREAK = 10;
