import { createHash, createHmac, timingSafeEqual, type KeyObject } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { PassThrough, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { z } from "zod";
import { BackupFileError } from "./backup-error.ts";
import {
  BackupEnd,
  BackupHeader,
  END_OF_ROWS,
  FIRST_LINE,
  LINE_BYTES_MAX,
  TablePart,
  TableSums,
  type TableSum,
  type WrappedBackupKey,
} from "./format.ts";
import { linesOf } from "./lines.ts";
import { createRowSum } from "./sum-rows.ts";

/** Whoever holds the key-encryption keys. @throws when the backup was made with others */
export type OpenBackupKey = (backupId: string, key: WrappedBackupKey) => Promise<KeyObject>;

export interface OpenedBackup {
  readonly header: BackupHeader;
  /** One after the other, each with its rows, which must be read to their end before the next. */
  parts(): AsyncGenerator<TablePart & { readonly rows: AsyncIterable<readonly Buffer[]> }, void>;
  /** After the last part: whether all of it is as it was written. @throws BackupFileError */
  verify(): Promise<readonly TableSum[]>;
  close(): void;
}

/**
 * Reads a backup from its beginning to its end, once. What was read counts only when {@link OpenedBackup.verify} has
 * not thrown.
 *
 * @throws BackupFileError for what is no backup, or none that this version reads
 */
export async function openBackup(source: Readable, openKey: OpenBackupKey): Promise<OpenedBackup> {
  const lines = createLineReader(inflated(source));
  if (textOf(await lines.next()) !== FIRST_LINE) {
    throw new BackupFileError(
      "This file is no backup of Patchbay, or one in a format that this version does not read.",
    );
  }
  const headerLine = await lines.next();
  const header = parsed(BackupHeader, headerLine);
  const mac = createHmac("sha256", await openKey(header.id, header.key));
  const sha256 = createHash("sha256");
  const vouch = (line: Buffer) => {
    mac.update(line);
    sha256.update(line);
  };
  vouch(Buffer.from(`${FIRST_LINE}\n`));
  if (headerLine !== null) vouch(headerLine);
  const found: TableSum[] = [];
  let next: Buffer | null = null;
  const take = async () => {
    const line = await lines.next();
    if (line === null) throw cutOff();
    vouch(line);
    return line;
  };

  async function* parts() {
    for (;;) {
      const line = await take();
      if (line.includes(SUMS_BEGIN)) {
        next = line;
        return;
      }
      const part = parsed(TablePart, line);
      let ended = false;
      yield { ...part, rows: rowsOf(part.table, () => (ended = true)) };
      if (!ended) throw new Error(`the rows of ${part.table} were not read to their end`);
    }
  }

  async function* rowsOf(table: string, onEnd: () => void): AsyncGenerator<readonly Buffer[], void> {
    const sum = createRowSum();
    for (;;) {
      const { rows, ended } = await lines.until(ROWS_END);
      for (const row of rows) {
        vouch(row);
        sum.add(row);
      }
      if (rows.length > 0) yield rows;
      if (!ended) continue;
      vouch(ROWS_END);
      found.push(sum.of(table));
      onEnd();
      return;
    }
  }

  return {
    header,
    parts,
    async verify() {
      const { tables } = parsed(TableSums, next);
      const end = parsed(BackupEnd, await lines.next());
      if (JSON.stringify(tables) !== JSON.stringify(found)) throw changed();
      if (sha256.digest("hex") !== end.sha256) throw changed();
      if (!timingSafeEqual(mac.digest(), Buffer.from(end.mac, "hex"))) throw changed();
      if ((await lines.next()) !== null) throw changed();
      return found;
    },
    close: () => source.destroy(),
  };
}

const ROWS_END = Buffer.from(`${END_OF_ROWS}\n`);
/** No table is described so. */
const SUMS_BEGIN = '{"tables":[';

const cutOff = () => new BackupFileError("The backup is cut off.");
const changed = () => new BackupFileError("The backup is not as it was written: it was damaged or changed.");

/** Unpacked; a damaged archive is told as a damaged backup. */
async function* inflated(source: Readable): AsyncGenerator<Buffer, void> {
  const text = new PassThrough();
  const unpacking = pipeline(source, createGunzip(), text);
  unpacking.catch(() => {});
  try {
    for await (const chunk of text) yield chunk as Buffer;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "Z_BUF_ERROR") throw cutOff();
    if (code.startsWith("Z_")) throw changed();
    throw error;
  }
}

interface LineReader {
  /** With its break; `null` at the end. */
  next(): Promise<Buffer | null>;
  /** What is at hand of the lines before `end`, and whether `end` came, which is taken. @throws BackupFileError at the end */
  until(end: Buffer): Promise<{ readonly rows: readonly Buffer[]; readonly ended: boolean }>;
}

function createLineReader(chunks: AsyncIterable<Buffer>): LineReader {
  const batches = linesOf(chunks, LINE_BYTES_MAX);
  let batch: readonly Buffer[] = [];
  let at = 0;
  async function fill(): Promise<boolean> {
    while (at >= batch.length) {
      const read = await batches.next();
      if (read.done === true) return false;
      batch = read.value;
      at = 0;
    }
    return true;
  }
  return {
    async next() {
      if (!(await fill())) return null;
      return batch[at++] ?? null;
    },
    async until(end) {
      if (!(await fill())) throw cutOff();
      const from = at;
      for (; at < batch.length; at++) {
        if (batch[at]?.equals(end) !== true) continue;
        const rows = batch.slice(from, at);
        at += 1;
        return { rows, ended: true };
      }
      return { rows: batch.slice(from), ended: false };
    },
  };
}

function textOf(line: Buffer | null): string {
  return line?.toString("utf8").trimEnd() ?? "";
}

function parsed<Shape>(schema: z.ZodType<Shape>, line: Buffer | null): Shape {
  if (line === null) throw cutOff();
  const result = schema.safeParse(parseJson(textOf(line)));
  if (!result.success) throw changed();
  return result.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
