import type { DataKeyId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { createSecretKey, randomBytes, randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { keyIdOf, openEnvelope, sealEnvelope, type OpenKey, type Place } from "./envelope.ts";
import { pae } from "./pae.ts";

const PLACE: Place = { table: "grants", rowId: "row", column: "tokens", rowVersion: 1 };
const PLAIN = Buffer.from("shpat_a-token");

function aKey(changes: Partial<OpenKey> = {}): OpenKey {
  return {
    id: randomUUID() as DataKeyId,
    workspaceId: randomUUID() as WorkspaceId,
    tenantUid: randomUUID() as TenantUid,
    key: createSecretKey(randomBytes(32)),
    ...changes,
  };
}

describe("envelopes", () => {
  test("open in their place, and are 58 bytes longer than what they hold", () => {
    const key = aKey();
    const sealed = sealEnvelope(key, PLACE, PLAIN);
    expect(sealed.byteLength).toBe(PLAIN.byteLength + 58);
    expect(keyIdOf(sealed)).toBe(key.id);
    expect(openEnvelope(key, PLACE, sealed)).toEqual(PLAIN);
  });

  test("do not open with any one bit changed", () => {
    const key = aKey();
    let opened = 0;
    for (let round = 0; round < 20; round++) {
      const sealed = sealEnvelope(key, PLACE, PLAIN);
      for (let bit = 0; bit < sealed.byteLength * 8; bit++) {
        const changed = Buffer.from(sealed);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        if (opens(key, PLACE, changed)) opened += 1;
      }
    }
    expect(opened).toBe(0);
  });

  test.each<[string, Partial<Place>]>([
    ["table", { table: "grant" }],
    ["row", { rowId: "other" }],
    ["column", { column: "previous_tokens" }],
    ["version", { rowVersion: 2 }],
    ["parts cut elsewhere", { table: "grantsr", rowId: "ow" }],
  ])("do not open in another place: %s", (_, changes) => {
    const key = aKey();
    expect(opens(key, { ...PLACE, ...changes }, sealEnvelope(key, PLACE, PLAIN))).toBe(false);
  });

  test.each<[string, Partial<OpenKey>]>([
    ["workspace", { workspaceId: randomUUID() as WorkspaceId }],
    ["tenant", { tenantUid: randomUUID() as TenantUid }],
    ["key id", { id: randomUUID() as DataKeyId }],
    ["key", { key: createSecretKey(randomBytes(32)) }],
  ])("do not open for another owner: %s", (_, changes) => {
    const key = aKey();
    expect(opens({ ...key, ...changes }, PLACE, sealEnvelope(key, PLACE, PLAIN))).toBe(false);
  });

  test("do not open when cut anywhere", () => {
    const key = aKey();
    const sealed = sealEnvelope(key, PLACE, PLAIN);
    const opened = Array.from({ length: sealed.byteLength }, (_, end) => opens(key, PLACE, sealed.subarray(0, end)));
    expect(opened).not.toContain(true);
  });

  test("keep their key out of what is printed", () => {
    const secret = randomBytes(32);
    const key = aKey({ key: createSecretKey(secret) });
    expect(inspect(key, { depth: 9 }) + JSON.stringify(key)).not.toContain(secret.toString("hex").slice(0, 8));
  });
});

test("pae tells lists apart that read alike when joined", () => {
  expect(pae(["ab", "c"])).not.toEqual(pae(["a", "bc"]));
  expect(pae(["a", ""])).not.toEqual(pae(["a"]));
});

function opens(key: OpenKey, place: Place, sealed: Uint8Array): boolean {
  try {
    openEnvelope(key, place, sealed);
    return true;
  } catch {
    return false;
  }
}
