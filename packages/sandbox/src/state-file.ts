import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { WorldState } from "./shopify/world.ts";

const WRITE_DELAY_MS = 500;
/** Raised when the shape of the state changes; an older file is then left aside. */
const FORMAT = 1;

interface Snapshot {
  readonly format: number;
  readonly world: WorldState;
}

/** Keeps the world in a file, written shortly after changes and on close. Does nothing without a file name. */
export class Keeper {
  readonly #file: string | null;
  readonly #log: (line: string) => void;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(file: string | null, log: (line: string) => void) {
    this.#file = file;
    this.#log = log;
  }

  read(): WorldState | null {
    if (this.#file === null) return null;
    try {
      const snapshot: Snapshot = deserialize(readFileSync(this.#file));
      if (snapshot.format === FORMAT) return snapshot.world;
      this.#log("sandbox state has another format; starting afresh");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT"))
        this.#log("sandbox state is unreadable; starting afresh");
    }
    return null;
  }

  schedule(world: WorldState): void {
    if (this.#file === null || this.#closed) return;
    this.#timer ??= setTimeout(() => this.flush(world), WRITE_DELAY_MS);
    this.#timer.unref();
  }

  /** Writes a last time; later changes are those of calls that were cut off. */
  close(world: WorldState): void {
    this.flush(world);
    this.#closed = true;
  }

  flush(world: WorldState): void {
    if (this.#file === null) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, serialize({ format: FORMAT, world } satisfies Snapshot), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
