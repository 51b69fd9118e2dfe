import type { WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { makeApiKey, parseApiKey } from "./api-key-format.ts";

const workspaceId = randomUUID() as WorkspaceId;
const aKey = (mode: "live" | "test" = "test") => makeApiKey(workspaceId, mode);
const resummed = (body: string) => body + crc32(body).toString(36).padStart(7, "0");

describe("parseApiKey", () => {
  test("reads what makeApiKey made", () => {
    const key = aKey("live");
    expect(parseApiKey(key.text.reveal())).toEqual({
      mode: "live",
      workspaceId,
      publicId: key.publicId,
      secretHash: key.secretHash,
    });
  });

  test("refuses a key with any one character changed", () => {
    const text = aKey().text.reveal();
    for (let at = 0; at < text.length; at++) {
      const flipped = text.slice(0, at) + (text[at] === "a" ? "b" : "a") + text.slice(at + 1);
      expect(parseApiKey(flipped), `character ${at}`).toBeNull();
    }
  });

  test.each([
    ["empty", ""],
    ["cut short", aKey().text.reveal().slice(0, -1)],
    ["longer", `${aKey().text.reveal()}0`],
    ["upper case", aKey().text.reveal().toUpperCase()],
    ["of an unknown mode", resummed(aKey().text.reveal().slice(0, -7).replace("pb_test_", "pb_prod_"))],
    ["with a line break behind", `${aKey().text.reveal()}\n`],
    ["with a workspace that is no UUID", resummed(`pb_test_${"z".repeat(26)}${"a".repeat(44)}`)],
  ])("refuses a key that is %s", (_, text) => {
    expect(parseApiKey(text)).toBeNull();
  });

  test.each([
    ["mode", (body: string) => body.replace("pb_test_", "pb_live_")],
    ["secret", (body: string) => body.slice(0, -1) + (body.endsWith("a") ? "b" : "a")],
  ])("gives another hash for another %s, though the checksum was mended", (_, change) => {
    const key = aKey();
    const parsed = parseApiKey(resummed(change(key.text.reveal().slice(0, -7))));
    expect(parsed).not.toBeNull();
    expect(parsed?.secretHash).not.toEqual(key.secretHash);
  });

  test("makes keys of which no two are alike, and which print as a secret", () => {
    const keys = Array.from({ length: 100 }, () => aKey());
    expect(new Set(keys.map((key) => key.text.reveal())).size).toBe(100);
    expect(JSON.stringify(keys[0])).not.toContain(keys[0]?.text.reveal());
  });
});
