import { decodeId, type WorkspaceId } from "@patchbay/shared";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  listTenants,
  putProviderApp,
  putTenant,
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
    expect(await authenticateApiKey(deps(), key.secret)).toMatchObject({
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
    expect(await authenticateApiKey(deps(), key.secret)).not.toBeNull();
    nowMs += 1_000;
    expect(await authenticateApiKey(deps(), key.secret)).toBeNull();
  });

  test("are refused once revoked", async () => {
    const workspaceId = await aWorkspace();
    const key = await createApiKey(deps(), { workspaceId, name: "gone" });
    await fixture.sql`update api_keys set revoked_at = now() where workspace_id = ${workspaceId}`;
    expect(await authenticateApiKey(deps(), key.secret)).toBeNull();
  });

  test("are refused when they name another workspace's public id", async () => {
    const [ours, theirs] = [await aWorkspace(), await aWorkspace()];
    const key = await createApiKey(deps(), { workspaceId: ours, name: "a" });
    // The very same row in another workspace: still the key of ours.
    await fixture.sql`
      insert into api_keys (workspace_id, id, public_id, secret_hash, name, scopes, created_at)
      select ${theirs}, ${randomUUID()}, public_id, '\\x00'::bytea || substr(secret_hash, 2), name, scopes, created_at
      from api_keys where workspace_id = ${ours}`;
    expect(await authenticateApiKey(deps(), key.secret)).toMatchObject({ workspaceId: ours });
  });

  test("are not made for a workspace that is not there", async () => {
    await expect(createApiKey(deps(), { workspaceId: randomUUID() as WorkspaceId, name: "a" })).rejects.toMatchObject({
      code: "workspace_not_found",
    });
  });
});

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
