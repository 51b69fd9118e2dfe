import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { checkProvider, proveBinding } from "../check-provider.ts";
import { PROVIDER_IDS, VaultKeyError, type BoundContext, type KeyProvider, type KeyTrouble } from "../key-provider.ts";
import { createKeys } from "../keys.ts";
import { TEST_LIMITS, WORLDS, type World } from "./testing/worlds.ts";

const CONTEXT: BoundContext = {
  v: 1,
  deployment: "production",
  use: "workspace_key",
  workspaceId: "01993c7e-5c1a-7e1b-9b57-5d6c1f3a2b10",
  keyId: "01993c7e-5c1b-7c33-8a0e-0f2f6f9d4e21",
};

let world: World;
let provider: KeyProvider;

beforeEach(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDOFTHEFAKE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "of-the-fake");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await world[Symbol.asyncDispose]();
});

describe.each(PROVIDER_IDS)("key provider %s", (id) => {
  beforeEach(async () => {
    world = await WORLDS[id]();
    provider = await world.open();
  });

  test("unwraps what it wrapped", async () => {
    const key = randomBytes(32);
    const wrapped = await provider.wrap(key, CONTEXT);
    expect(Buffer.from(wrapped).includes(key)).toBe(false);
    expect(Buffer.from(await provider.unwrap(wrapped, primary(), CONTEXT))).toEqual(key);
    await checkProvider(createKeys("production", [provider]), id);
  });

  test.each<[string, Partial<BoundContext>]>([
    ["deployment", { deployment: "staging" }],
    ["use", { use: "canary" }],
    ["workspace", { workspaceId: "01993c7e-5c1a-7e1b-9b57-5d6c1f3a2b11" }],
    ["key id", { keyId: "01993c7e-5c1b-7c33-8a0e-0f2f6f9d4e22" }],
  ])("does not unwrap for another %s", async (_, changes) => {
    const wrapped = await provider.wrap(randomBytes(32), CONTEXT);
    await fails(provider.unwrap(wrapped, primary(), { ...CONTEXT, ...changes }), "wrong");
  });

  test("does not unwrap what was changed or cut", async () => {
    const wrapped = Buffer.from(await provider.wrap(randomBytes(32), CONTEXT));
    const changed = Buffer.from(wrapped);
    // The last byte may be padding of base64.
    const at = changed.byteLength - 8;
    changed.writeUInt8(changed.readUInt8(at) === 65 ? 66 : 65, at);
    await fails(provider.unwrap(changed, primary(), CONTEXT), "wrong");
    await fails(provider.unwrap(wrapped.subarray(0, -4), primary(), CONTEXT), "wrong");
    await fails(provider.unwrap(Buffer.alloc(0), primary(), CONTEXT), "wrong");
  });

  test("after a rotation wraps under the new version and unwraps both, each as what it is", async () => {
    const key = randomBytes(32);
    const [before, old] = [await provider.wrap(key, CONTEXT), primary()];
    await world.rotate();
    provider = await world.open();
    const young = primary();
    expect(young).not.toBe(old);
    expect([provider.holds(old), provider.holds(young)]).toEqual([true, true]);
    const after = await provider.wrap(key, CONTEXT);
    expect(Buffer.from(await provider.unwrap(before, old, CONTEXT))).toEqual(key);
    expect(Buffer.from(await provider.unwrap(after, young, CONTEXT))).toEqual(key);
    await fails(provider.unwrap(before, young, CONTEXT), "wrong");
    await fails(provider.unwrap(after, old, CONTEXT), "wrong");
    expect(Buffer.from(await provider.unwrap(await provider.wrap(key, CONTEXT, old), old, CONTEXT))).toEqual(key);
  });

  test("says which version is not configured", async () => {
    const wrapped = await provider.wrap(randomBytes(32), CONTEXT);
    expect(provider.holds("elsewhere/other:1")).toBe(false);
    await expect(provider.unwrap(wrapped, "elsewhere/other:1", CONTEXT)).rejects.toThrow(VaultKeyError);
  });
});

describe.each(PROVIDER_IDS.filter((id) => id !== "local"))("V10: key provider %s", (id) => {
  beforeEach(async () => {
    world = await WORLDS[id]();
    provider = await world.open();
  });

  test("V10: no answer, or one that says nothing, is unreachable, after a bounded number of tries", async () => {
    const wrapped = await provider.wrap(randomBytes(32), CONTEXT);
    for (const fault of ["slow", "reset", "status503"] as const) {
      const before = service().calls;
      service().set(fault);
      await fails(provider.unwrap(wrapped, primary(), CONTEXT), "unreachable");
      expect(service().calls - before, fault).toBe(TEST_LIMITS.tries);
    }
    await fails(provider.wrap(randomBytes(32), CONTEXT), "unreachable");
    service().set("none");
    await provider.unwrap(wrapped, primary(), CONTEXT);
  });

  test("V10: AccessDenied is denied, without another try", async () => {
    const wrapped = await provider.wrap(randomBytes(32), CONTEXT);
    service().set("denied");
    const before = service().calls;
    await fails(provider.unwrap(wrapped, primary(), CONTEXT), "denied");
    expect(service().calls - before).toBe(1);
    await fails(checkProvider(createKeys("production", [provider]), id), "denied");
  });

  test("V10: a disabled key is denied", async () => {
    const wrapped = await provider.wrap(randomBytes(32), CONTEXT);
    service().disable(world.serviceName(primary()));
    await fails(provider.unwrap(wrapped, primary(), CONTEXT), "denied");
    await fails(provider.wrap(randomBytes(32), CONTEXT), "denied");
  });

  test("V10: no service at the address is unreachable", async () => {
    const wrapped = await provider.wrap(randomBytes(32), CONTEXT);
    await world[Symbol.asyncDispose]();
    await fails(provider.unwrap(wrapped, primary(), CONTEXT), "unreachable");
    world = await WORLDS[id]();
  });

  test("is not trusted when the service binds nothing to the context", async () => {
    const keys = createKeys("production", [provider]);
    await proveBinding(keys, id);
    service().set("ignoresContext");
    await expect(proveBinding(keys, id)).rejects.toThrow("does not bind keys to their context");
  });
});

function service() {
  if (world.service === null) throw new Error("this provider asks no service");
  return world.service;
}

function primary(): string {
  const [version = ""] = provider.versions();
  return version;
}

async function fails(asked: Promise<unknown>, trouble: KeyTrouble): Promise<void> {
  const error: unknown = await asked.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "KeyProviderError", trouble });
  expect(String(error)).not.toContain("secret word");
}
