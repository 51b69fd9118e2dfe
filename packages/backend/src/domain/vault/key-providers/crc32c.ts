/** CRC-32C (Castagnoli), which `node:zlib` does not have. @see https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4 */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL_REVERSED : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const POLYNOMIAL_REVERSED = 0x82f63b78;
