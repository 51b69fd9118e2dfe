import { createReadStream } from "node:fs";
import { link, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Writable, type Readable } from "node:stream";
import { PatchbayStartError } from "./start-error.ts";

/** Where a backup is written. It bears its name only once it is whole. */
export interface BackupTarget {
  /** As told to the operator. */
  readonly name: string;
  readonly out: Writable;
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** @param out `-`: the standard output; a folder: a new file in it, named by the time; else a new file */
export async function openTarget(out: string, now: Date): Promise<BackupTarget> {
  if (out === "-") return standardOutput();
  const folder = await isFolder(out);
  const name = folder ? join(out, `patchbay-${now.toISOString().replaceAll(/[:.]/g, "-")}.backup.gz`) : out;
  const draft = `${name}.partial`;
  if (await exists(name)) throw new PatchbayStartError(`${name} is there already; a backup replaces nothing.`);
  const file = await open(draft, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") {
      throw new PatchbayStartError(`${draft} is there: another backup is being made, or was killed; then remove it.`);
    }
    throw new PatchbayStartError(`${draft} cannot be written (${error.code ?? error.message}).`, { cause: error });
  });
  return {
    name,
    // On the disk before it is closed.
    out: file.createWriteStream({ flush: true }),
    async keep() {
      // Unlike a renaming, a link replaces nothing.
      await link(draft, name);
      await rm(draft);
    },
    discard: () => rm(draft, { force: true }),
  };
}

/** What a disk says that takes no more, as a sentence; anything else as it is. */
export function notWritten({ name }: BackupTarget, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!DISK_TROUBLE.has(code)) return error;
  return new PatchbayStartError(`${name} could not be written (${code}); nothing is left of it.`, { cause: error });
}

const DISK_TROUBLE: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS"]);

export async function openSource(from: string): Promise<Readable> {
  if (from === "-") return process.stdin;
  if (!(await exists(from)) || (await isFolder(from))) {
    throw new PatchbayStartError(`${from} is no file; name the backup, or - for the standard input.`);
  }
  return createReadStream(from, { highWaterMark: READ_BYTES });
}

const READ_BYTES = 256 * 1024;

function standardOutput(): BackupTarget {
  const out = new Writable({
    write: (chunk: Uint8Array, _, done) => void process.stdout.write(chunk, done),
  });
  return { name: "the standard output", out, keep: async () => {}, discard: async () => {} };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
