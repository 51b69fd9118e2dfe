import { describe, expect, test } from "vitest";
import { ordinaryUser } from "./account.ts";

const ROOT = "root:x:0:0:root:/root:/bin/sh";
const NOBODY = "nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin";
const NODE = "node:x:1000:1000::/nonexistent:/bin/sh";
const POSTGRES = "postgres:x:101:104::/var/lib/postgresql:/bin/bash";

describe("the user that root's server runs as", () => {
  test.each([
    [[ROOT, NODE, NOBODY, POSTGRES], "postgres"],
    [[ROOT, NODE, NOBODY], "nobody"],
    [[ROOT, NODE], "node"],
  ])("of %j is %s", (lines, name) => {
    expect(ordinaryUser(`${lines.join("\n")}\n`).name).toBe(name);
  });

  test("is never root under another name", () => {
    expect(() => ordinaryUser(`${ROOT}\ntoor:x:0:0::/root:/bin/sh\n`)).toThrow("has no other user");
  });
});
