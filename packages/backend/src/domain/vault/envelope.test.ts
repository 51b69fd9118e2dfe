import type { DataKeyId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { createSecretKey, randomBytes, randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { keyIdOf, openEnvelope, sealEnvelope, type OpenKey, type Place } from "./envelope.ts";
import { pae } from "./pae.ts";

const PLACE: Place = { table: "grants", rowId: "row", column: "tokens", rowVersion: 1 };
const PLAIN = Buffer.from("shpat_a-token");
const ENVELOPES = 200;

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

  test("V2: do not open with any one bit of header, nonce, text or tag changed", () => {
    let tried = 0;
    let opened = 0;
    for (const { key, sealed } of manyEnvelopes()) {
      for (let bit = 0; bit < sealed.byteLength * 8; bit++) {
        const changed = Buffer.from(sealed);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        tried += 1;
        if (opens(key, PLACE, changed)) opened += 1;
      }
    }
    expect(tried).toBe(ENVELOPES * (58 + PLAIN.byteLength) * 8);
    expect(opened).toBe(0);
  });

  test.each<keyof Place | keyof Omit<OpenKey, "key">>([
    "workspaceId",
    "tenantUid",
    "id",
    "table",
    "rowId",
    "column",
    "rowVersion",
  ])("V2: do not open with any one bit of what they are bound to changed: %s", (field) => {
    let opened = 0;
    for (const { key, sealed } of manyEnvelopes()) {
      const bound = { ...key, ...PLACE };
      for (const changed of bitFlips(bound[field])) {
        const other = { ...bound, [field]: changed };
        if (opens(other, other, sealed)) opened += 1;
      }
    }
    expect(opened).toBe(0);
  });

  test("V3: open in their own place alone, of all places that differ in anything", () => {
    const shared = createSecretKey(randomBytes(32));
    const id = randomUUID() as DataKeyId;
    const pair = <T>(make: () => T): [T, T] => [make(), make()];
    const workspaces = pair(() => randomUUID() as WorkspaceId);
    const tenants = pair(() => randomUUID() as TenantUid);
    const rows = pair(() => randomUUID());
    const spots = workspaces.flatMap((workspaceId) =>
      tenants.flatMap((tenantUid) =>
        ["grants", "records"].flatMap((table) =>
          rows.flatMap((rowId) =>
            ["tokens", "previous_tokens"].flatMap((column) =>
              [1, 2].map((rowVersion) => ({
                id,
                key: shared,
                workspaceId,
                tenantUid,
                table,
                rowId,
                column,
                rowVersion,
              })),
            ),
          ),
        ),
      ),
    );
    const wrong: string[] = [];
    for (const [from, sealedAt] of spots.entries()) {
      const sealed = sealEnvelope(sealedAt, sealedAt, PLAIN);
      for (const [to, spot] of spots.entries()) {
        if (opens(spot, spot, sealed) !== (from === to)) wrong.push(`${from} at ${to}`);
      }
    }
    expect(spots).toHaveLength(64);
    expect(wrong).toEqual([]);
  });

  test.each([4, 8, 12, 13, 14, 15])("V4: do not open with a tag of %i bytes", (bytes) => {
    for (const { key, sealed } of manyEnvelopes()) {
      expect(opens(key, PLACE, sealed.subarray(0, sealed.byteLength - 16 + bytes))).toBe(false);
    }
  });

  test.each<[string, Partial<Place>]>([
    ["table", { table: "grant" }],
    ["row", { rowId: "other" }],
    ["column", { column: "previous_tokens" }],
    ["version", { rowVersion: 2 }],
    ["parts cut elsewhere", { table: "grantsr", rowId: "ow" }],
  ])("V3: do not open in another place: %s", (_, changes) => {
    const key = aKey();
    expect(opens(key, { ...PLACE, ...changes }, sealEnvelope(key, PLACE, PLAIN))).toBe(false);
  });

  test.each<[string, Partial<OpenKey>]>([
    ["workspace", { workspaceId: randomUUID() as WorkspaceId }],
    ["tenant", { tenantUid: randomUUID() as TenantUid }],
    ["key id", { id: randomUUID() as DataKeyId }],
    ["key", { key: createSecretKey(randomBytes(32)) }],
  ])("V3: do not open for another owner: %s", (_, changes) => {
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

function manyEnvelopes() {
  return Array.from({ length: ENVELOPES }, () => {
    const key = aKey();
    return { key, sealed: sealEnvelope(key, PLACE, PLAIN) };
  });
}

/** All values that differ in one bit: of each character of a text, or of a number. */
function* bitFlips(value: string | number): Generator<string | number> {
  if (typeof value === "number") {
    for (let bit = 0; bit < 31; bit++) yield value ^ (1 << bit);
    return;
  }
  for (let at = 0; at < value.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = String.fromCharCode(value.charCodeAt(at) ^ (1 << bit));
      yield value.slice(0, at) + changed + value.slice(at + 1);
    }
  }
}
