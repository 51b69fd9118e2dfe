import {
  DEFAULT_SCOPES,
  EXPLICIT_SCOPES,
  SCOPES,
  decodeId,
  type ApiKeyId,
  type Role,
  type WorkspaceId,
} from "@patchbay/shared";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { openDatabase, type Database, type WithWorkspace } from "../../platform/db/index.ts";
import { createVault, openLocalKeys, type Vault } from "../vault/index.ts";
import {
  authenticateApiKey,
  createApiKey,
  createWorkspace,
  getProviderApp,
  getTenant,
  listApiKeys,
  listTenants,
  putProviderApp,
  putTenant,
  revokeApiKey,
  revokePreviousSecret,
  rotateApiKey,
} from "./index.ts";

let fixture: TestDatabase;
let database: Database;
let folder: string;
let withWorkspace: WithWorkspace;
let vault: Vault;
let nowMs = Date.parse("2026-06-01T00:00:00Z");
const clock = { now: () => new Date(nowMs) };

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 6);
  withWorkspace = database.as("patchbay_app").withWorkspace;
  folder = await mkdtemp(join(tmpdir(), "patchbay-keys-"));
  const path = join(folder, "keys");
  await writeFile(path, `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  vault = createVault({ withWorkspace, keys: await openLocalKeys(path), clock });
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
  await rm(folder, { recursive: true });
});

const deps = () => ({ withWorkspace, clock, vault, sandboxOrigins: ["http://localhost:4403"] });

async function aWorkspace(mode: "live" | "test" = "test"): Promise<WorkspaceId> {
  const made = await createWorkspace(deps(), { name: "A host", mode });
  const id = decodeId("ws", made.id);
  if (id === null) throw new Error("no workspace id");
  return id;
}

describe("API keys", () => {
  test("let in who holds one, with its scopes and its workspace's mode", async () => {
    const workspaceId = await aWorkspace("live");
    const key = await createApiKey(deps(), { workspaceId, name: "ci", scopes: ["records:read"] });
    expect(key.secret).toMatch(/^pb_live_/);
    expect(await authenticateApiKey(deps(), key.secret, null)).toMatchObject({
      workspaceId,
      mode: "live",
      scopes: ["records:read"],
    });
  });

  test("are not kept in a form that lets anyone in", async () => {
    const workspaceId = await aWorkspace();
    const key = await createApiKey(deps(), { workspaceId, name: "ci" });
    const [row] = await fixture.sql`select api_keys::text as row from api_keys where workspace_id = ${workspaceId}`;
    expect(String(row?.["row"])).not.toContain(key.secret.slice(46, -7));
  });

  test("are refused from the instant they expire", async () => {
    const workspaceId = await aWorkspace();
    const expiresAt = new Date(nowMs + 1_000).toISOString();
    const key = await createApiKey(deps(), { workspaceId, name: "short", expiresAt });
    expect(await authenticateApiKey(deps(), key.secret, null)).not.toBeNull();
    nowMs += 1_000;
    expect(await authenticateApiKey(deps(), key.secret, null)).toBeNull();
  });

  test("are refused once revoked", async () => {
    const workspaceId = await aWorkspace();
    const key = await createApiKey(deps(), { workspaceId, name: "gone" });
    await fixture.sql`update api_keys set revoked_at = now() where workspace_id = ${workspaceId}`;
    expect(await authenticateApiKey(deps(), key.secret, null)).toBeNull();
  });

  test("are refused when they name another workspace's public id", async () => {
    const [ours, theirs] = [await aWorkspace(), await aWorkspace()];
    const key = await createApiKey(deps(), { workspaceId: ours, name: "a" });
    // The very same row in another workspace: still the key of ours.
    await fixture.sql`
      insert into api_keys (workspace_id, id, public_id, secret_hash, name, scopes, created_at)
      select ${theirs}, ${randomUUID()}, public_id, '\\x00'::bytea || substr(secret_hash, 2), name, scopes, created_at
      from api_keys where workspace_id = ${ours}`;
    expect(await authenticateApiKey(deps(), key.secret, null)).toMatchObject({ workspaceId: ours });
  });

  test("are refused with any one character changed, a checksum that fits or not", async () => {
    const workspaceId = await aWorkspace();
    const { secret } = await createApiKey(deps(), { workspaceId, name: "ci" });
    for (let at = 0; at < secret.length; at++) {
      const flipped = secret.slice(0, at) + (secret[at] === "a" ? "b" : "a") + secret.slice(at + 1);
      const mended = flipped.slice(0, -7) + crc32(flipped.slice(0, -7)).toString(36).padStart(7, "0");
      expect(await authenticateApiKey(deps(), flipped, null), `character ${at}`).toBeNull();
      if (at < secret.length - 7) expect(await authenticateApiKey(deps(), mended, null), `mended ${at}`).toBeNull();
    }
    expect(await authenticateApiKey(deps(), secret, null)).not.toBeNull();
  });

  test("are good with two secrets after a rotation, until the overlap is over", async () => {
    const workspaceId = await aWorkspace();
    const first = await createApiKey(deps(), { workspaceId, name: "ci" });
    const key = { workspaceId, keyId: idOf(first) };
    const second = await rotateApiKey(deps(), key);
    const both = () => [first, second].map(({ secret }) => authenticateApiKey(deps(), secret, null));
    const [old, current] = await Promise.all(both());
    expect([old?.keyId, current?.keyId]).toEqual([key.keyId, key.keyId]);
    expect(second.previousSecretUntil).toBe(new Date(nowMs + 24 * 3_600_000).toISOString());
    nowMs += 24 * 3_600_000;
    expect((await Promise.all(both())).map((caller) => caller !== null)).toEqual([false, true]);
  });

  test("have two live secrets at most, and one when the overlap is ended", async () => {
    const workspaceId = await aWorkspace();
    const first = await createApiKey(deps(), { workspaceId, name: "ci" });
    const key = { workspaceId, keyId: idOf(first) };
    const second = await rotateApiKey(deps(), key);
    const third = await rotateApiKey(deps(), { ...key, overlapHours: 1 });
    const good = async () => {
      const callers = [first, second, third].map(({ secret }) => authenticateApiKey(deps(), secret, null));
      return (await Promise.all(callers)).map((caller) => caller !== null);
    };
    expect(await good()).toEqual([false, true, true]);
    expect(await revokePreviousSecret(deps(), key)).toMatchObject({ previousSecretUntil: null });
    expect(await good()).toEqual([false, false, true]);
    expect((await revokeApiKey(deps(), key)).revokedAt).not.toBeNull();
    expect(await good()).toEqual([false, false, false]);
    await expect(rotateApiKey(deps(), key)).rejects.toMatchObject({ code: "conflict" });
  });

  test("are taken from their networks only", async () => {
    const workspaceId = await aWorkspace();
    const allowedNetworks = ["203.0.113.0/24", "2001:db8::1"];
    const { secret } = await createApiKey(deps(), { workspaceId, name: "ci", allowedNetworks });
    for (const address of ["203.0.113.9", "2001:db8::1"]) {
      expect(await authenticateApiKey(deps(), secret, address)).not.toBeNull();
    }
    for (const address of ["203.0.114.9", "2001:db8::2", null]) {
      const asked = authenticateApiKey(deps(), secret, address);
      await expect(asked, String(address)).rejects.toMatchObject({ code: "address_not_allowed", status: 403 });
    }
    const wrong = createApiKey(deps(), { workspaceId, name: "ci", allowedNetworks: ["10.0.0.0/33"] });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("say when they were used last, to the minute", async () => {
    const workspaceId = await aWorkspace();
    const { secret } = await createApiKey(deps(), { workspaceId, name: "ci" });
    const lastUsed = async () => (await listApiKeys(deps(), { workspaceId, limit: 1 })).data[0]?.lastUsedAt;
    expect(await lastUsed()).toBeNull();
    const usedAt = new Date(nowMs).toISOString();
    await authenticateApiKey(deps(), secret, null);
    nowMs += 30_000;
    await authenticateApiKey(deps(), secret, null);
    expect(await lastUsed()).toBe(usedAt);
  });

  test("cannot make or renew a key that can do more than themselves", async () => {
    const workspaceId = await aWorkspace();
    const until = new Date(nowMs + 3_600_000);
    const by = { scopes: ["records:read", "api_keys:write"], allowedNetworks: ["10.0.0.1"], expiresAt: until } as const;
    const make = (input: object) => createApiKey(deps(), { workspaceId, name: "a", by, ...input });
    const made = await make({});
    expect(made).toMatchObject({
      scopes: ["records:read"],
      allowedNetworks: ["10.0.0.1"],
      expiresAt: until.toISOString(),
    });
    for (const more of [
      { scopes: ["records:read", "tenants:write"] },
      { allowedNetworks: [] },
      { allowedNetworks: ["10.0.0.0/8"] },
      { expiresAt: new Date(until.getTime() + 1).toISOString() },
    ]) {
      await expect(make(more), JSON.stringify(more)).rejects.toMatchObject({ code: "insufficient_scope" });
    }
    const strong = await createApiKey(deps(), { workspaceId, name: "strong" });
    const renewed = rotateApiKey(deps(), { workspaceId, keyId: idOf(strong), by });
    await expect(renewed).rejects.toMatchObject({ code: "insufficient_scope" });
    await rotateApiKey(deps(), { workspaceId, keyId: idOf(made), by });
  });

  test("lead to other keys, to the audit log, and to erasure only when that was named", async () => {
    const workspaceId = await aWorkspace();
    const { scopes } = await createApiKey(deps(), { workspaceId, name: "ci" });
    expect(scopes).toContain("tenants:write");
    for (const scope of EXPLICIT_SCOPES) expect(scopes).not.toContain(scope);
  });

  test("take the scopes of a role, which a key may give only whole", async () => {
    const workspaceId = await aWorkspace();
    const scopesOf = async (role: Role) => (await createApiKey(deps(), { workspaceId, name: "ci", role })).scopes;
    expect(await scopesOf("backend")).toEqual(DEFAULT_SCOPES);
    expect(await scopesOf("admin")).toEqual(SCOPES);
    const readOnly = await scopesOf("readOnly");
    expect(readOnly.filter((scope) => !scope.endsWith(":read"))).toEqual([]);
    expect(readOnly).not.toContain("audit:read");
    const by = { scopes: readOnly, allowedNetworks: [], expiresAt: null };
    await expect(createApiKey(deps(), { workspaceId, name: "ci", role: "admin", by })).rejects.toMatchObject({
      code: "insufficient_scope",
    });
  });

  test("are not made for a workspace that is not there", async () => {
    await expect(createApiKey(deps(), { workspaceId: randomUUID() as WorkspaceId, name: "a" })).rejects.toMatchObject({
      code: "workspace_not_found",
    });
  });
});

function idOf({ id }: { readonly id: string }): ApiKeyId {
  const keyId = decodeId("key", id);
  if (keyId === null) throw new Error("no key id");
  return keyId;
}

describe("tenants", () => {
  test("are made once by writers in parallel", async () => {
    const workspaceId = await aWorkspace();
    await Promise.all(Array.from({ length: 8 }, () => putTenant(deps(), { workspaceId, id: "acme", body: {} })));
    const rows = await fixture.sql`select uid from tenants where workspace_id = ${workspaceId}`;
    expect(rows).toHaveLength(1);
  });

  test("keep what a change leaves out", async () => {
    const workspaceId = await aWorkspace();
    await putTenant(deps(), { workspaceId, id: "acme", body: { name: "Acme", metadata: { plan: "pro" } } });
    await putTenant(deps(), { workspaceId, id: "acme", body: { name: "Acme Inc." } });
    expect(await getTenant(deps(), { workspaceId, id: "acme" })).toMatchObject({
      name: "Acme Inc.",
      metadata: { plan: "pro" },
    });
  });

  test("of one workspace are unknown to another, under the same name too", async () => {
    const [ours, theirs] = [await aWorkspace(), await aWorkspace()];
    await putTenant(deps(), { workspaceId: ours, id: "acme", body: { name: "Ours" } });
    await expect(getTenant(deps(), { workspaceId: theirs, id: "acme" })).rejects.toMatchObject({
      code: "tenant_not_found",
    });
    await putTenant(deps(), { workspaceId: theirs, id: "acme", body: { name: "Theirs" } });
    expect(await getTenant(deps(), { workspaceId: ours, id: "acme" })).toMatchObject({ name: "Ours" });
  });

  test("come page by page, each once", async () => {
    const workspaceId = await aWorkspace();
    const ids = ["B", "a", "a.b", "a_b", "Z", "z"];
    for (const id of ids) await putTenant(deps(), { workspaceId, id, body: {} });
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < 10; pages++) {
      const page = await listTenants(deps(), { workspaceId, limit: 2, cursor });
      seen.push(...page.data.map(({ id }) => id));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  test.each([
    ["a NUL", Buffer.from("\0").toString("base64url")],
    ["nothing", "!!!!"],
  ])("refuse a cursor that holds %s", async (_, cursor) => {
    const workspaceId = await aWorkspace();
    await expect(listTenants(deps(), { workspaceId, limit: 2, cursor })).rejects.toMatchObject({
      code: "invalid_cursor",
    });
  });
});

describe("provider apps", () => {
  const put = (workspaceId: WorkspaceId, clientSecret: string, baseUrlOverride?: string) =>
    putProviderApp(deps(), {
      workspaceId,
      provider: "shopify",
      body: { clientId: "client", clientSecret, baseUrlOverride },
    });

  test("keep accepting the former secret for a day after a change, and no longer", async () => {
    const workspaceId = await aWorkspace();
    const first = await put(workspaceId, "secret-one");
    expect(first.previousClientSecret).toBeNull();
    const second = await put(workspaceId, "secret-two");
    expect([second.clientSecret.reveal(), second.previousClientSecret?.reveal()]).toEqual(["secret-two", "secret-one"]);
    nowMs += 24 * 3_600_000;
    const later = await getProviderApp(deps(), { workspaceId, provider: "shopify" });
    expect([later?.clientSecret.reveal(), later?.previousClientSecret]).toEqual(["secret-two", null]);
  });

  test("do not start an overlap when the same secret is sent again", async () => {
    const workspaceId = await aWorkspace();
    await put(workspaceId, "secret-one");
    expect((await put(workspaceId, "secret-one")).previousClientSecret).toBeNull();
  });

  test("hold no secret in the clear", async () => {
    const workspaceId = await aWorkspace();
    await put(workspaceId, "plainly-visible");
    const [row] = await fixture.sql<{ secret: Buffer }[]>`
      select client_secret as secret from provider_apps where workspace_id = ${workspaceId}`;
    expect(row?.secret.includes("plainly-visible")).toBe(false);
  });

  test("exist once when registered twice at once", async () => {
    const workspaceId = await aWorkspace();
    const done = await Promise.allSettled([put(workspaceId, "a-secret"), put(workspaceId, "b-secret")]);
    expect(done.some(({ status }) => status === "fulfilled")).toBe(true);
    for (const each of done) if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "conflict" });
    expect(await fixture.sql`select 1 from provider_apps where workspace_id = ${workspaceId}`).toHaveLength(1);
  });

  test.each([
    ["in a live workspace", "live", "http://localhost:4403/_shops/{shop}"],
    ["to an origin that the operator does not allow", "test", "http://localhost:9999/_shops/{shop}"],
    ["to an origin hidden behind user info", "test", "http://localhost:4403@evil.example/"],
    ["to an origin that a parameter makes", "test", "http://localhost:4403{shop}/"],
  ] as const)("refuse a base URL %s", async (_, mode, override) => {
    const workspaceId = await aWorkspace(mode);
    await expect(put(workspaceId, "a-secret", override)).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("take a base URL of the sandbox in a test workspace", async () => {
    const workspaceId = await aWorkspace();
    const override = "http://localhost:4403/_shops/{shop}";
    expect(await put(workspaceId, "a-secret", override)).toMatchObject({ baseUrlOverride: override });
  });
});
