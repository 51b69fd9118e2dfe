import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BoundContext } from "../key-provider.ts";
import { bindsDeployment, createLocalKeyFile, openLocalProvider, parseKeyFile } from "./local.ts";

const CONTEXT: BoundContext = { v: 1, deployment: "d", use: "workspace_key", workspaceId: "w", keyId: "k" };
/** A key wrapped by version 0.1.0, before keys were bound to a deployment. */
const OF_BEFORE = {
  file: `pbk1:1:${Buffer.alloc(32, 7).toString("base64")}\n`,
  context: {
    ...CONTEXT,
    workspaceId: "01993c7e-5c1a-7e1b-9b57-5d6c1f3a2b10",
    keyId: "01993c7e-5c1b-7c33-8a0e-0f2f6f9d4e21",
  },
  wrapped: Buffer.from(
    "04130c9c1ade146e21e451ad7948113ea8fdc2c55a640d542ef57288b6344884ece3903daf78c7a9d50e188bf7dc16f2ca40c2f84a580a3fd803ca1ec5ee2b85277d7beb88d25689",
    "hex",
  ),
  key: Buffer.from(Array.from({ length: 32 }, (_, index) => index)),
};
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
    await expect(openLocalProvider(path)).resolves.toBeDefined();
  });

  test("is refused when it is missing", async () => {
    await expect(openLocalProvider(path)).rejects.toThrow("There is no key file");
  });

  test("is refused when others can read it", async () => {
    await createLocalKeyFile(path);
    await chmod(path, 0o440);
    await expect(openLocalProvider(path)).rejects.toThrow("can be read by others");
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
    const wrapped = await before.wrap(key, CONTEXT);
    const after = await keysOf(`pbk1:1:${old}\npbk1:2:${young} primary\n`);
    expect(after.versions()).toEqual(["2", "1"]);
    expect(await after.unwrap(wrapped, "1", CONTEXT)).toEqual(key);
    expect(await after.unwrap(await after.wrap(key, CONTEXT), "2", CONTEXT)).toEqual(key);
  });

  test("unwraps what was wrapped before keys were bound to a deployment", async () => {
    const keys = await keysOf(OF_BEFORE.file);
    expect(await keys.unwrap(OF_BEFORE.wrapped, "1", OF_BEFORE.context)).toEqual(OF_BEFORE.key);
    expect(bindsDeployment({ provider: "local", wrapped: OF_BEFORE.wrapped })).toBe(false);
    const now = await keys.wrap(OF_BEFORE.key, OF_BEFORE.context);
    expect(bindsDeployment({ provider: "local", wrapped: now })).toBe(true);
    await expect(keys.unwrap(OF_BEFORE.wrapped, "1", CONTEXT)).rejects.toMatchObject({ trouble: "wrong" });
  });
});

function aKey(): string {
  return randomBytes(32).toString("base64");
}

async function keysOf(text: string) {
  const file = join(folder, randomBytes(4).toString("hex"));
  await writeFile(file, text, { mode: 0o400 });
  return openLocalProvider(file);
}
