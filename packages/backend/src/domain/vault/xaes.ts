import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";

/**
 * XAES-256-GCM: AES-256-GCM under a key and nonce derived from a 192-bit nonce, so that random nonces are safe for
 * 2^80 messages per key where plain GCM allows 2^32.
 *
 * Not resistant to reuse of a nonce, and not key-committing.
 *
 * @see https://c2sp.org/XAES-256-GCM
 */
export const XAES_NONCE_BYTES = 24;
export const XAES_TAG_BYTES = 16;

/** @returns ciphertext and tag */
export function sealXaes(key: KeyObject, nonce: Uint8Array, plain: Uint8Array, aad: Uint8Array): Uint8Array {
  const derived = deriveKey(key, nonce);
  const cipher = createCipheriv("aes-256-gcm", derived, nonce.subarray(12), { authTagLength: XAES_TAG_BYTES });
  derived.fill(0);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error when key, nonce, `aad`, ciphertext or tag are not what was sealed; nothing is given out then */
export function openXaes(key: KeyObject, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array {
  const textBytes = sealed.byteLength - XAES_TAG_BYTES;
  if (textBytes < 0) throw new Error("sealed value is too short");
  const derived = deriveKey(key, nonce);
  const decipher = createDecipheriv("aes-256-gcm", derived, nonce.subarray(12), { authTagLength: XAES_TAG_BYTES });
  derived.fill(0);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(textBytes));
  return Buffer.concat([decipher.update(sealed.subarray(0, textBytes)), decipher.final()]);
}

/** NIST SP 800-108r1 KDF in counter mode with CMAC-AES-256, label "X", the first half of the nonce as context. */
function deriveKey(key: KeyObject, nonce: Uint8Array): Buffer {
  if (nonce.byteLength !== XAES_NONCE_BYTES) throw new Error("nonce must have 24 bytes");
  const aes = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  const subkey = double(aes.update(ZERO_BLOCK));
  const blocks = Buffer.alloc(32);
  for (const [index, counter] of [1, 2].entries()) {
    const at = index * 16;
    blocks.set([0, counter, LABEL, 0], at);
    blocks.set(nonce.subarray(0, 12), at + 4);
    for (let i = 0; i < 16; i++) blocks.writeUInt8(blocks.readUInt8(at + i) ^ subkey.readUInt8(i), at + i);
  }
  return aes.update(blocks);
}

const ZERO_BLOCK = Buffer.alloc(16);
const LABEL = "X".charCodeAt(0);

/** Multiplication by x in GF(2^128), in time that does not depend on the block. */
function double(block: Buffer): Buffer {
  const doubled = Buffer.alloc(16);
  let carry = 0;
  for (let i = 15; i >= 0; i--) {
    const byte = block.readUInt8(i);
    doubled.writeUInt8(((byte << 1) | carry) & 0xff, i);
    carry = byte >> 7;
  }
  doubled.writeUInt8(doubled.readUInt8(15) ^ (carry * 0x87), 15);
  return doubled;
}
