import { AppError, decodeId, type ApiKeyId, type WorkspaceId } from "@patchbay/shared";
import { Hono } from "hono";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../../test/harness/database.ts";
import { waitFor } from "../../../../../../test/harness/wait-for.ts";
import { createVault, openLocalKeys, type Vault } from "../../../domain/vault/index.ts";
import { createWorkspace, forgetIdempotencyKeys } from "../../../domain/workspaces/index.ts";
import { openDatabase, type Database, type WithWorkspace } from "../../../platform/db/index.ts";
import { silentLogger } from "../../../platform/observability/index.ts";
import type { HttpEnv } from "../env.ts";
import { answerProblem } from "../problem.ts";
import { bodyGuard } from "./body-guard.ts";
import { idempotency } from "./idempotency.ts";

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

interface Host {
  readonly workspaceId: WorkspaceId;
  /** Bodies that the handler worked on. */
  readonly worked: string[];
  post(
    key: string,
    body?: string,
    path?: string,
    apiKey?: string,
  ): Promise<{ status: number; json: unknown; replayed: boolean }>;
}

/** A workspace and a route that makes something. */
async function aHost(handle: (body: string, worked: string[]) => Promise<void> = async () => {}): Promise<Host> {
  const made = await createWorkspace({ withWorkspace, clock }, { name: "A host", mode: "test" });
  const workspaceId = decodeId("ws", made.id);
  if (workspaceId === null) throw new Error("no workspace id");
  const worked: string[] = [];
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => answerProblem(error, c));
  const ownKey = randomUUID();
  app.use(async (c, next) => {
    c.set("log", silentLogger);
    c.set("caller", {
      workspaceId,
      mode: "test",
      keyId: (c.req.header("x-api-key") ?? ownKey) as ApiKeyId,
      scopes: [],
      allowedNetworks: [],
      expiresAt: null,
    });
    await next();
  });
  app.post("*", bodyGuard, idempotency({ withWorkspace, vault, clock }), async (c) => {
    const body = await c.req.text();
    worked.push(body);
    await handle(body, worked);
    return c.json({ secret: `made ${worked.length}` }, 201);
  });
  return {
    workspaceId,
    worked,
    async post(key, body = "{}", path = "/v1/things", apiKey = ownKey) {
      const headers = { "idempotency-key": key, "content-type": "application/json", "x-api-key": apiKey };
      const response = await app.request(path, { method: "POST", headers, body });
      return {
        status: response.status,
        json: await response.json(),
        replayed: response.headers.get("idempotent-replayed") === "true",
      };
    },
  };
}

describe("idempotency", () => {
  test("does not give one API key's answer to another", async () => {
    const host = await aHost();
    await host.post("create-key-1");
    const other = await host.post("create-key-1", "{}", "/v1/things", randomUUID());
    expect(other).toMatchObject({ status: 422, replayed: false });
    expect(JSON.stringify(other.json)).not.toContain("made 1");
    expect(host.worked).toHaveLength(1);
  });

  test("gives the first answer again without doing the work again", async () => {
    const host = await aHost();
    expect(await host.post("k")).toEqual({ status: 201, json: { secret: "made 1" }, replayed: false });
    expect(await host.post("k")).toEqual({ status: 201, json: { secret: "made 1" }, replayed: true });
    expect(host.worked).toHaveLength(1);
  });

  test.each([
    ["another body", '{"a":1}', "/v1/things"],
    ["another path", "{}", "/v1/others"],
    ["another query", "{}", "/v1/things?mode=full"],
  ])("refuses the key with %s", async (_, body, path) => {
    const host = await aHost();
    await host.post("k");
    expect(await host.post("k", body, path)).toMatchObject({ status: 422, json: { code: "idempotency_key_reused" } });
    expect(host.worked).toHaveLength(1);
  });

  test("does the work once when the request comes many times at once", async () => {
    const gate = Promise.withResolvers<void>();
    const host = await aHost(() => gate.promise);
    const early: unknown[] = [];
    const answers = Array.from({ length: 6 }, async () => {
      const answer = await host.post("k");
      early.push(answer);
      return answer;
    });
    await waitFor(() => early.length === 5, { what: "all but one answer" });
    for (const answer of early) {
      expect(answer).toMatchObject({ status: 409, json: { code: "request_in_flight", retriable: true } });
    }
    gate.resolve();
    await Promise.all(answers);
    expect(early.at(-1)).toMatchObject({ status: 201 });
    expect(host.worked).toHaveLength(1);
  });

  test("keeps a refusal, and frees the key after a failure of ours", async () => {
    const refusing = await aHost(async () => {
      throw new AppError("conflict", "no");
    });
    await refusing.post("k");
    expect(await refusing.post("k")).toMatchObject({ status: 409, json: { code: "conflict" }, replayed: true });
    const failing = await aHost(async (_, worked) => {
      if (worked.length === 1) throw new Error("planted");
    });
    expect(await failing.post("k")).toMatchObject({ status: 500 });
    expect(await failing.post("k")).toMatchObject({ status: 201, json: { secret: "made 2" } });
  });

  test("lets a request in again whose process died, after a minute", async () => {
    const host = await aHost();
    await host.post("k");
    // As a dead process leaves it: claimed, not answered.
    await fixture.sql`update idempotency_keys set response = null, status = null where workspace_id = ${host.workspaceId}`;
    expect(await host.post("k")).toMatchObject({ status: 409, json: { code: "request_in_flight" } });
    nowMs += 60_001;
    expect(await host.post("k")).toMatchObject({ status: 201, json: { secret: "made 2" } });
  });

  test("keeps the answer of the request that took a key over, not of the slow one before", async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const host = await aHost(async (_, worked) => {
      if (worked.length > 1) return;
      started.resolve();
      await gate.promise;
      throw new AppError("conflict", "too late");
    });
    const slow = host.post("k");
    await started.promise;
    nowMs += 60_001;
    expect(await host.post("k")).toMatchObject({ status: 201 });
    gate.resolve();
    await slow;
    expect(await host.post("k")).toMatchObject({ status: 201, replayed: true });
  });

  test("keeps workspaces apart and answers sealed", async () => {
    const [ours, theirs] = [await aHost(), await aHost()];
    await ours.post("k");
    expect(await theirs.post("k")).toMatchObject({ status: 201, replayed: false });
    const rows = await fixture.sql<{ response: Buffer }[]>`select response from idempotency_keys where key = 'k'`;
    for (const row of rows) expect(row.response?.includes("made 1") ?? false).toBe(false);
  });

  test("forgets a key after a day", async () => {
    const host = await aHost();
    await host.post("k");
    nowMs += 24 * 3_600_000 + 1;
    await forgetIdempotencyKeys({ withWorkspace, clock }, host.workspaceId);
    expect(await host.post("k")).toMatchObject({ status: 201, replayed: false });
  });

  test.each(["", "a b", "ü", "k".repeat(129)])("refuses the key %j", async (key) => {
    const host = await aHost();
    expect(await host.post(key)).toMatchObject({ status: 400, json: { code: "invalid_request" } });
  });
});
