import { createSecretKey } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { sealEnvelope, type OpenKey } from "../envelope.ts";

/** `node seal-nonces.ts <file> <count>`: seals that many values under one key and writes their nonces one after another. */
const [, , file = "", count = "0"] = process.argv;

const ID = "01993c7e-5c1a-7e1b-9b57-5d6c1f3a2b10";
const key = { id: ID, workspaceId: ID, tenantUid: ID, key: createSecretKey(Buffer.alloc(32, 1)) } as OpenKey;
const place = { table: "t", rowId: "r", column: "c", rowVersion: 1 };
const plain = Buffer.alloc(1);
/** Behind format, algorithm and key id. */
const NONCE = { from: 18, to: 42 };
const PER_WRITE = 10_000;

const out = createWriteStream(file);
for (let left = Number(count); left > 0; left -= PER_WRITE) {
  const nonces = Array.from({ length: Math.min(left, PER_WRITE) }, () =>
    sealEnvelope(key, place, plain).subarray(NONCE.from, NONCE.to),
  );
  if (!out.write(Buffer.concat(nonces))) await once(out, "drain");
}
out.end();
await once(out, "finish");
