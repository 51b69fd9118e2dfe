import { createHash, createSecretKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openXaes, sealXaes } from "./xaes.ts";

const NONCE = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWX");
const PLAIN = Buffer.from("XAES-256-GCM");
/** Key, nonce, two lengths, and two texts of 127.5 bytes on average: 313, and some more than chance needs. */
const BYTES_PER_MESSAGE = 330;
/** The million takes half a minute: `pnpm test:long`. */
const ACCUMULATED: [number, string][] = [
  [10_000, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"],
  ...(process.env["PATCHBAY_TEST_LONG"] === undefined
    ? []
    : [[1_000_000, "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15"] as [number, string]]),
];

describe("XAES-256-GCM", () => {
  test.each([
    [1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"],
    [3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"],
  ])("V1: gives the published answer for a key of bytes %i", (byte, aad, expected) => {
    const key = createSecretKey(Buffer.alloc(32, byte));
    expect(Buffer.from(sealXaes(key, NONCE, PLAIN, Buffer.from(aad))).toString("hex")).toBe(expected);
  });

  test.each(ACCUMULATED)(
    "V1: gives the published hash of %i random messages",
    { timeout: 300_000 },
    (messages, expected) => {
      const stream = createHash("shake128", { outputLength: messages * BYTES_PER_MESSAGE }).digest();
      let at = 0;
      const take = (bytes: number) => stream.subarray(at, (at += bytes));
      const hash = createHash("shake128", { outputLength: 32 });
      for (let i = 0; i < messages; i++) {
        const key = createSecretKey(take(32));
        const nonce = take(24);
        const plain = take(take(1).readUInt8());
        const aad = take(take(1).readUInt8());
        const sealed = sealXaes(key, nonce, plain, aad);
        hash.update(sealed);
        if (i % 1000 === 0) expect(openXaes(key, nonce, sealed, aad)).toEqual(plain);
      }
      expect(at).toBeLessThanOrEqual(stream.byteLength);
      expect(hash.digest("hex")).toBe(expected);
    },
  );

  test.each([0, 4, 8, 12, 13, 14, 15])("V4: refuses a tag of %i bytes", (bytes) => {
    const key = createSecretKey(Buffer.alloc(32, 1));
    const sealed = sealXaes(key, NONCE, PLAIN, Buffer.alloc(0));
    const cut = sealed.subarray(0, PLAIN.byteLength + bytes);
    expect(() => openXaes(key, NONCE, cut, Buffer.alloc(0))).toThrow();
    expect(() =>
      openXaes(key, NONCE, sealed.subarray(PLAIN.byteLength, PLAIN.byteLength + bytes), Buffer.alloc(0)),
    ).toThrow();
  });
});
