import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VaultKeyError, type WrapContext } from "./key-provider.ts";
import { createLocalKeyFile, openLocalKeys, parseKeyFile } from "./local-keys.ts";

const CONTEXT: WrapContext = { v: 1, use: "workspace_key", workspaceId: "w", keyId: "k" };
let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "patchbay-keys-"));
  path = join(folder, "made", "keys");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the local key file", () => {
  test("is made once, readable by its owner alone", async () => {
    expect(await createLocalKeyFile(path)).toBe("created");
    const first = await readFile(path, "utf8");
    expect((await stat(path)).mode & 0o777).toBe(0o400);
    expect(await createLocalKeyFile(path)).toBe("present");
    expect(await readFile(path, "utf8")).toBe(first);
  });

  test("is made once when several processes start together", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => createLocalKeyFile(path)));
    expect(made.filter((outcome) => outcome === "created")).toHaveLength(1);
    await expect(openLocalKeys(path)).resolves.toBeDefined();
  });

  test("is refused when it is missing", async () => {
    await expect(openLocalKeys(path)).rejects.toThrow("There is no key file");
  });

  test("is refused when others can read it", async () => {
    await createLocalKeyFile(path);
    await chmod(path, 0o440);
    await expect(openLocalKeys(path)).rejects.toThrow("can be read by others");
  });

  test.each([
    ["", "holds no key"],
    ["pbk1:1:short", "line 1 is not"],
    [`pbk1:1:${aKey()}\npbk1:1:${aKey()}`, "twice"],
    [`pbk1:1:${aKey()}\npbk1:2:${aKey()}`, "no key is marked primary"],
    [`pbk1:1:${aKey()} primary\npbk1:2:${aKey()} primary`, "several keys are marked"],
  ])("with wrong content is refused (%#)", (text, problem) => {
    expect(parseKeyFile(text)).toContain(problem);
  });

  test("wraps under the primary and unwraps under every version", async () => {
    const [old, young] = [aKey(), aKey()];
    const key = randomBytes(32);
    const before = await keysOf(`pbk1:1:${old}\n`);
    const { wrapped, kekVersion } = await before.wrap(key, CONTEXT);
    const after = await keysOf(`pbk1:1:${old}\npbk1:2:${young} primary\n`);
    expect(kekVersion).toBe("1");
    expect(await after.unwrap(wrapped, "1", CONTEXT)).toEqual(key);
    expect((await after.wrap(key, CONTEXT)).kekVersion).toBe("2");
  });

  test("unwraps for the same context and version only", async () => {
    const keys = await keysOf(`pbk1:1:${aKey()}\npbk1:2:${aKey()} primary\n`);
    const { wrapped } = await keys.wrap(randomBytes(32), CONTEXT);
    await expect(keys.unwrap(wrapped, "2", { ...CONTEXT, workspaceId: "other" })).rejects.toThrow();
    await expect(keys.unwrap(wrapped, "2", { ...CONTEXT, keyId: "other" })).rejects.toThrow();
    await expect(keys.unwrap(wrapped, "2", { ...CONTEXT, use: "canary" })).rejects.toThrow();
    await expect(keys.unwrap(wrapped, "1", CONTEXT)).rejects.toThrow();
    await expect(keys.unwrap(wrapped, "3", CONTEXT)).rejects.toThrow(VaultKeyError);
  });
});

function aKey(): string {
  return randomBytes(32).toString("base64");
}

async function keysOf(text: string) {
  const file = join(folder, randomBytes(4).toString("hex"));
  await writeFile(file, text, { mode: 0o400 });
  return openLocalKeys(file);
}
