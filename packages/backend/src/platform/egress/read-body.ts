import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** Encodings that {@link decodeBody} undoes. */
export const ACCEPT_ENCODING = "gzip, deflate, br";

/**
 * Undoes the content encoding, up to `bytesMax` bytes: what is behind is never decompressed.
 *
 * An encoding that is unknown or broken leaves the bytes as they came.
 */
export async function decodeBody(
  encoding: string | undefined,
  received: Uint8Array,
  bytesMax: number,
): Promise<{ readonly body: Uint8Array; readonly truncated: boolean }> {
  const decoder = decoderOf(encoding);
  if (decoder === null) return { body: received, truncated: false };
  const collected = new Collector(bytesMax);
  try {
    await pipeline(Readable.from([received]), decoder, collected);
  } catch (error) {
    if (!collected.full && !(error instanceof Error && "code" in error)) throw error;
    if (!collected.full && collected.length === 0) return { body: received, truncated: false };
  }
  return { body: collected.bytes(), truncated: collected.full };
}

/** Keeps the first `bytesMax` bytes and fails the stream on the next one. */
class Collector extends Writable {
  readonly #chunks: Uint8Array[] = [];
  readonly #bytesMax: number;
  length = 0;
  full = false;

  constructor(bytesMax: number) {
    super();
    this.#bytesMax = bytesMax;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    const kept = chunk.subarray(0, this.#bytesMax - this.length);
    this.#chunks.push(kept);
    this.length += kept.length;
    this.full = kept.length < chunk.length;
    done(this.full ? new Error("longer than allowed") : undefined);
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

/** A cut input gives what it has: the flush modes do not ask for a proper end. */
function decoderOf(encoding: string | undefined) {
  switch (encoding?.trim().toLowerCase() ?? "identity") {
    case "gzip":
    case "x-gzip":
      return createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
    case "deflate":
      return createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
    case "br":
      return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
    default:
      return null;
  }
}
