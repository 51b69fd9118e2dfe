import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeId, decodeUuid, encodeId, encodeUuid, type ConnectionId } from "./ids.ts";

const uuid = fc.uuid({ version: [4, 7, 8] });

describe("ids at the edge", () => {
  test("come back as what they were", () => {
    fc.assert(
      fc.property(uuid, (id) => {
        expect(encodeUuid(id)).toMatch(/^[0-7][0-9a-z]{25}$/);
        expect(decodeUuid(encodeUuid(id))).toBe(id);
      }),
    );
  });

  test("sort like the ids inside", () => {
    fc.assert(fc.property(uuid, uuid, (a, b) => encodeUuid(a) < encodeUuid(b) === a < b));
  });

  test.each([
    ["00000000-0000-0000-0000-000000000000", "0".repeat(26)],
    ["ffffffff-ffff-ffff-ffff-ffffffffffff", `7${"z".repeat(25)}`],
  ])("write %s as %s", (id, text) => {
    expect(encodeUuid(id)).toBe(text);
    expect(decodeUuid(text)).toBe(id);
  });

  test("have one form: nothing else decodes", () => {
    const text = encodeUuid("0190a5d0-1111-7111-8111-111111111111");
    const others = ["", text.slice(1), `${text}0`, `8${text.slice(1)}`, text.toUpperCase(), `${text}\n`, ` ${text}`];
    for (const letter of ["i", "l", "o", "u"]) others.push(text.slice(0, -1) + letter);
    for (const other of others) expect(decodeUuid(other), JSON.stringify(other)).toBeNull();
  });

  test("decode behind their own prefix only", () => {
    const id = "0190a5d0-1111-7111-8111-111111111111" as ConnectionId;
    const text = encodeId("conn", id);
    expect(decodeId("conn", text)).toBe(id);
    expect(decodeId("run", text)).toBeNull();
    expect(decodeId("conn", text.slice(5))).toBeNull();
  });

  test("are not made of what is no lower-case UUID", () => {
    for (const text of ["", "x", "0190A5D0-1111-7111-8111-111111111111"]) expect(() => encodeUuid(text)).toThrow();
  });
});
