import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createLocalKeyFile, openLocalProvider } from "../key-providers/local.ts";
import { addLocalKey, promoteLocalKey, removeLocalKey } from "./key-file.ts";

let folder = "";
let path = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "patchbay-keys-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  path = join(await mkdtemp(join(folder, "x")), "keys");
  await createLocalKeyFile(path);
});

const versions = async () => (await openLocalProvider(path)).versions();

describe("a key file", () => {
  test("gets a key beside the one that goes on wrapping", async () => {
    expect(await addLocalKey(path, { primary: false })).toBe("2");
    expect(await versions()).toEqual(["1", "2"]);
    await promoteLocalKey(path, "2");
    expect(await versions()).toEqual(["2", "1"]);
  });

  test("gets a key that wraps at once", async () => {
    await addLocalKey(path, { primary: true });
    expect(await addLocalKey(path, { primary: true, version: "2027-01" })).toBe("2027-01");
    expect(await versions()).toEqual(["2027-01", "1", "2"]);
  });

  test("keeps its keys, its comments and its mode", async () => {
    const [line = ""] = (await readFile(path, "utf8")).split("\n");
    await rm(path);
    await writeFile(path, `# made by hand\n${line}`, { mode: 0o400 });
    await addLocalKey(path, { primary: true });
    const text = await readFile(path, "utf8");
    expect(text).toContain("# made by hand\n");
    expect(text).toContain(`${line}\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o400);
    expect(await readdir(join(path, ".."))).toEqual(["keys"]);
  });

  test("loses a key that is not the one that wraps", async () => {
    await addLocalKey(path, { primary: true });
    await removeLocalKey(path, "1");
    expect(await versions()).toEqual(["2"]);
    await expect(removeLocalKey(path, "2")).rejects.toThrow("have another one do that first");
    await expect(removeLocalKey(path, "7")).rejects.toThrow("holds no version 7");
  });

  test.each(["1", "a:b", "", "x y"])("takes no version named %j", async (version) => {
    await expect(addLocalKey(path, { version, primary: true })).rejects.toThrow();
    expect(await versions()).toEqual(["1"]);
  });
});
