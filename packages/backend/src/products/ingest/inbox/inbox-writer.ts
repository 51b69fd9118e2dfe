import { AppError } from "@patchbay/shared";
import { isRowFault } from "../../../platform/db/index.ts";

/** What the writer needs to know of an item; the rest is the store's. */
export interface Appendable {
  readonly sourceId: string;
  /** Size of the stored form. */
  readonly body: Uint8Array;
}

/** Stores what arrived. Resolves when it is committed, and not before. */
export interface InboxWriter<Row extends Appendable> {
  append(row: Row): Promise<void>;
}

/** Batches on their way at once. */
const LANES = 2;
/** From one batch to the next, unless many wait: a transaction costs as much as the rows of ten. */
const SPACING_MS = 4;
/** Then, or with as many bytes as one batch takes, the next one does not wait. */
const MANY_ROWS = 32;
const BATCH_ROWS_MAX = 128;
const BATCH_BYTES_MAX = 2 * 1024 * 1024;
const WAITING_ROWS_MAX = 2_000;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 5;

/**
 * Gathers what arrives while the batches before are being committed, or shortly after one: alone an item is written at
 * once, under load one commit carries many.
 *
 * Full, it refuses the source that takes the most room, so that one noisy source does not shut out the others. A batch
 * that the database refuses for one of its rows is repeated row by row; a database that is not there is not asked 128
 * times.
 *
 * @param write stores all or nothing
 */
export function createInboxWriter<Row extends Appendable>(
  write: (rows: readonly Row[]) => Promise<void>,
): InboxWriter<Row> {
  const waiting: Waiting<Row>[] = [];
  const shares = new Map<string, { readonly rows: number; readonly bytes: number }>();
  let bytes = 0;
  let flushing = 0;
  let startedMs = -Infinity;
  let spacing: NodeJS.Timeout | null = null;

  function append(row: Row): Promise<void> {
    return new Promise((resolve, reject) => {
      const item: Waiting<Row> = { row, resolve, reject };
      if (isFull(row.body.length) && !makeRoom(row)) return reject(overloaded());
      enter(item);
      startFlush();
    });
  }

  function isFull(moreBytes: number): boolean {
    return waiting.length >= WAITING_ROWS_MAX || bytes + moreBytes > WAITING_BYTES_MAX;
  }

  /** Turns away what came last of the noisiest source, unless that is the newcomer's own. */
  function makeRoom(row: Row): boolean {
    while (isFull(row.body.length)) {
      const noisiest = noisiestSource();
      if (noisiest === null || noisiest === row.sourceId) return false;
      const index = waiting.findLastIndex((item) => item.row.sourceId === noisiest);
      const [item] = waiting.splice(index, 1);
      if (item === undefined) return false;
      leave(item);
      item.reject(overloaded());
    }
    return true;
  }

  /** By rows or by bytes, whichever is the larger part of what fits. */
  function noisiestSource(): string | null {
    let noisiest: string | null = null;
    let most = 0;
    for (const [source, share] of shares) {
      const part = Math.max(share.rows / WAITING_ROWS_MAX, share.bytes / WAITING_BYTES_MAX);
      if (part > most) [noisiest, most] = [source, part];
    }
    return noisiest;
  }

  function enter(item: Waiting<Row>): void {
    waiting.push(item);
    count(item.row, 1);
  }

  function leave({ row }: Waiting<Row>): void {
    count(row, -1);
  }

  function count({ sourceId, body }: Row, rows: 1 | -1): void {
    const size = rows * body.length;
    bytes += size;
    const share = shares.get(sourceId) ?? { rows: 0, bytes: 0 };
    if (share.rows + rows === 0) shares.delete(sourceId);
    else shares.set(sourceId, { rows: share.rows + rows, bytes: share.bytes + size });
  }

  function startFlush(): void {
    if (flushing >= LANES || waiting.length === 0) return;
    const earlyMs = startedMs + SPACING_MS - performance.now();
    if (earlyMs > 0 && waiting.length < MANY_ROWS && bytes < BATCH_BYTES_MAX) {
      spacing ??= setTimeout(() => {
        spacing = null;
        startFlush();
      }, earlyMs);
      return;
    }
    startedMs = performance.now();
    flushing++;
    void flush(takeBatch()).finally(() => {
      flushing--;
      startFlush();
    });
  }

  function takeBatch(): readonly Waiting<Row>[] {
    let size = 0;
    let count = 0;
    for (const { row } of waiting) {
      size += row.body.length;
      if (count > 0 && (size > BATCH_BYTES_MAX || count >= BATCH_ROWS_MAX)) break;
      count++;
    }
    const batch = waiting.splice(0, count);
    batch.forEach(leave);
    return batch;
  }

  async function flush(batch: readonly Waiting<Row>[]): Promise<void> {
    try {
      await write(batch.map(({ row }) => row));
      for (const item of batch) item.resolve();
    } catch (error) {
      if (batch.length > 1 && isRowFault(error)) {
        for (const item of batch) await flush([item]);
        return;
      }
      const reason = isRowFault(error) ? error : overloaded(error);
      for (const item of batch) item.reject(reason);
    }
  }

  return { append };
}

interface Waiting<Row> {
  readonly row: Row;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

function overloaded(cause?: unknown): AppError {
  return new AppError("overloaded", "deliveries arrive faster than they can be stored; send again later", {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause,
  });
}
