/**
 * Pre-authentication encoding: each part behind its length, so that no two lists read alike however their parts are
 * cut.
 *
 * @see https://github.com/paseto-standard/paseto-spec/blob/master/docs/01-Protocol-Versions/Common.md
 */
export function pae(parts: readonly string[]): Uint8Array {
  const chunks: Buffer[] = [length(parts.length)];
  for (const part of parts) {
    const bytes = Buffer.from(part);
    chunks.push(length(bytes.byteLength), bytes);
  }
  return Buffer.concat(chunks);
}

function length(count: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(count));
  return bytes;
}
