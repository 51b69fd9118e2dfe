/** A connected, running product is saved, lost, and brought back on another machine. */
import { Patchbay as Sdk } from "@patchbay/node";
import { bindCommands, explainStartError, parseConfig, startPatchbay, type Patchbay } from "@patchbay/backend";
import { encodeId, type Connection, type EventId, type RestoreStatus, type TenantUid } from "@patchbay/shared";
import { spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHILD_ENV } from "../harness/child-env.ts";
import { connectStore } from "../harness/connect-store.ts";
import { freePort } from "../harness/free-port.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { scratchRoot } from "../harness/scratch-root.ts";
import { waitFor } from "../harness/wait-for.ts";
import { findEmbeddedPostgres, startEmbeddedPostgres } from "../../packages/backend/src/platform/db/embedded/index.ts";
import { silentLogger } from "../../packages/backend/src/platform/observability/index.ts";

const MAIN = fileURLToPath(new URL("../../packages/backend/src/main.ts", import.meta.url));
/** A process of its own, on a machine that does much else. */
const START_MS_MAX = 60_000;
const SHOP = "acme-goods.myshopify.com";
type Commands = ReturnType<typeof bindCommands>;

let folder: string;
let receiver: Awaited<ReturnType<typeof startHost>>;
let source: TestProduct;
let workspace: TestWorkspace;
let connection: Connection;
/** Settings of the machine that it is brought back on. */
let env: Record<string, string>;
let file: string;
let cursor: string;
let restored: Patchbay | null = null;

beforeAll(async () => {
  folder = await mkdtemp(join(await scratchRoot(), "backup-"));
  receiver = await startHost();
  source = await startTestProduct({ endpointOrigins: [receiver.origin] });
  workspace = await source.addWorkspace();
  const { sdk } = workspace;
  connection = await connectStore(source, workspace);
  await connectStore(source, workspace, { tenantId: "gone", shop: "maison-lumiere.myshopify.com" });
  await sdk.webhookEndpoints.create({ url: `${receiver.origin}/hook` });
  receiver.answer = 500;
  // While orders come in, and find the host's endpoint failing.
  const placing = placeOrders(5);
  await waitFor(async () => (await ordersIn(sdk)).length >= 1, { what: "the first order" });
  file = join(folder, "saved.gz");
  await run(source.env, (commands) => commands.backup(file));
  await placing;
  cursor = (await sdk.events.list({ from: "latest" })).nextCursor ?? "";
  env = await otherMachine();
}, 2 * START_MS_MAX);
afterAll(async () => {
  await restored?.close();
  await source.close();
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a backup of a running product", () => {
  test("is readable by its owner alone, and holds no key", async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await run(env, (commands) => commands.restore(file, { dryRun: true }))).toContain(
      "all as they were written",
    );
    await expect(run(source.env, (commands) => commands.backup(file))).rejects.toThrow("replaces nothing");
  });

  test("leaves nothing where it finds no room, and says so", async () => {
    const full = join(folder, "full.gz");
    // As much as one block of 512 bytes.
    const limited = ["-c", 'ulimit -f 1 && exec "$0" "$@"', process.execPath, MAIN, "backup", "--out", full];
    const child = spawn("sh", limited, { env: { ...CHILD_ENV, ...source.env }, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    expect(await once(child, "close")).toEqual([1, null]);
    expect(said).toContain(`${full} could not be written (EFBIG); nothing is left of it.`);
    expect((await readdir(folder)).filter((name) => name.startsWith("full"))).toEqual([]);
  });

  test("backup: is refused with another key, with exit code 78 and before anything is made", async () => {
    const other = join(folder, "other");
    await writeFile(join(folder, "other-keys"), `pbk1:1:${"A".repeat(42)}E=\n`, { mode: 0o400 });
    const wrong = { ...env, PATCHBAY_DATA_DIR: other, PATCHBAY_KEY_FILE: join(folder, "other-keys") };
    const refused = await run(wrong, (commands) => commands.restore(file, { dryRun: false })).catch(explainStartError);
    expect(refused).toEqual({
      message: expect.stringContaining("is not the one that this backup was made with") as string,
      exitCode: 78,
    });
    await expect(stat(other)).rejects.toThrow("ENOENT");
  });
});

describe("a restore that is killed", () => {
  test("keeps the product from starting, and can be done again", { timeout: 3 * START_MS_MAX }, async () => {
    const half = (await readFile(file)).subarray(0, 40_000);
    const child = spawn(process.execPath, [MAIN, "restore", "--from", "-"], { env: { ...CHILD_ENV, ...env } });
    const ended = once(child, "exit");
    try {
      child.stdin.write(half);
      const sql = await waitFor(() => adminOf(env), { what: "the embedded database", timeoutMs: START_MS_MAX });
      const begun = async () => (await sql`select 1 from pg_namespace where nspname = 'patchbay_restore'`).length > 0;
      await waitFor(begun, { what: "the restore", timeoutMs: START_MS_MAX });
      await sql.end();
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
    await expect(startPatchbay({ config: parseConfig(env, folder), roles: ALL })).rejects.toThrow("was not finished");
  });
});

describe("a restored product", () => {
  let sdk: Sdk;
  let report: string;
  beforeAll(async () => {
    report = await run(env, (commands) => commands.restore(file, { dryRun: false }));
    await dueNow();
    // The old installation is gone for good.
    await source.patchbay.close();
    receiver.answer = 204;
    receiver.received.clear();
    restored = await startPatchbay({ config: parseConfig(env, folder), roles: ALL, log: silentLogger });
    sdk = new Sdk({ apiKey: workspace.apiKey, baseUrl: restored.url, maxRetries: 0 });
  });

  test("says which tokens may be dead, and how old it is", async () => {
    expect(report).toContain("HELD.");
    expect(report).toMatch(/2 connections have tokens that change with use/);
    const status = await admin<RestoreStatus>("GET", "/restore");
    expect(status).toMatchObject({ held: true, connectionsAtRiskCount: 2, restore: { confirmedAt: null } });
    expect(status.connectionsAtRisk).toContainEqual({
      workspaceId: workspace.workspace.id,
      connectionId: connection.id,
      tenantId: "acme",
      provider: "shopify",
      why: "untilReplaced",
      due: false,
    });
  });

  test("holds every row of the backup, and its feed and queue fit together", async () => {
    const sql = await adminOf(env);
    if (sql === null) throw new Error("no database");
    try {
      const eventsOf = (of: postgres.Sql) => of<{ id: string }[]>`
        select id, position from events where position is not null order by position`;
      const saved = await eventsOf(sql);
      expect(saved.length).toBeGreaterThan(0);
      expect([...saved]).toEqual([...(await eventsOf(source.database.sql))].slice(0, saved.length));
      const [found] = await sql`
        select (select count(*)::int from events where position is not null) as events,
               (select coalesce(max(position), 0)::int from events) as last, (select position::int from event_heads) as head,
               (select count(*)::int from deliveries d left join events e on e.id = d.event_id where e.id is null) as orphans,
               (select count(*)::int from deliveries d left join queue.items i on i.id = d.id
                where d.status = 'pending' and i.id is null) as forgotten,
               (select count(*)::int from inbox i left join inbox_outcomes o on o.inbox_id = i.id
                left join queue.arrivals a on a.id = i.id where o.inbox_id is null and a.id is null) as unrouted`;
      expect(found).toMatchObject({ orphans: 0, forgotten: 0, unrouted: 0 });
      expect([found?.["last"], found?.["head"]]).toEqual([found?.["events"], found?.["events"]]);
    } finally {
      await sql.end();
    }
  });

  test("shows in the metrics that it is held", async () => {
    expect(await heldSeconds()).toBeGreaterThan(0);
  });

  test("backup: answers reads and accepts webhooks, changes nothing and calls nobody", async () => {
    const calls = outboundCalls([source.sandbox.url, receiver.origin]);
    expect(await (await fetch(`${restored?.url}/readyz`)).json()).toMatchObject({ status: "held after a restore" });
    expect(await sdk.tenants.list().toArray({ limit: 10 })).toHaveLength(2);
    await expect(sdk.runs.trigger({ connectionId: connection.id })).rejects.toMatchObject({
      code: "restore_unconfirmed",
      status: 503,
    });
    await expect(sdk.connections.test(connection.id)).rejects.toMatchObject({ code: "restore_unconfirmed" });
    const inbox = (await sdk.inbox.list().toArray({ limit: 1_000 })).length;
    source.sandbox.shopify.act(SHOP, "place-order", {});
    await waitFor(async () => (await sdk.inbox.list().toArray({ limit: 1_000 })).length > inbox, {
      what: "the order's webhook",
    });
    // Several rounds of whoever polls.
    await waitFor(() => performance.now() - calls.sinceMs > 2_500, { what: "2.5 s" });
    expect(calls.end()).toEqual([]);
    expect(receiver.received.size).toBe(0);
  });

  test("tells a reader of the old feed that its place is gone", async () => {
    await expect(sdk.events.list({ after: cursor })).rejects.toMatchObject({ code: "invalid_cursor" });
    expect((await sdk.events.list({ from: "start" })).data.length).toBeGreaterThan(0);
  });

  test("erases again who was erased since the backup", async () => {
    const sql = await adminOf(env);
    const [row] = (await sql?.unsafe(`select uid from tenants where external_id = 'gone'`)) ?? [];
    await sql?.end();
    expect(row).toBeDefined();
    const list = join(folder, "erasures.jsonl");
    const ref = encodeId("ten", row?.["uid"] as TenantUid);
    const never = encodeId("ten", "00000000-0000-4000-8000-000000000000" as TenantUid);
    await writeFile(list, `${JSON.stringify({ tenantRef: ref })}\n${JSON.stringify({ tenantRef: never })}\n`);
    expect(await run(env, (commands) => commands.repeatErasures(list))).toContain("2 listed, 1 were in the backup");
    expect((await sdk.tenants.list().toArray({ limit: 10 })).map(({ id }) => id)).toEqual(["acme"]);
    expect(await run(env, (commands) => commands.exportErasures(null))).toContain(ref);
  });

  test("goes on once it is confirmed: what waited is delivered, what came meanwhile is fetched", async () => {
    const waiting = await pendingEvents();
    expect(waiting.length).toBeGreaterThan(0);
    expect(await run(env, (commands) => commands.confirmRestore())).toContain("Confirmed");
    await waitFor(() => waiting.every((id) => receiver.received.has(id)), { what: "deliveries", timeoutMs: 30_000 });
    const placed = source.sandbox.shopify.act(SHOP, "place-order", {});
    await waitFor(async () => (await ordersIn(sdk)).some((order) => order.data.object?.name === placed["name"]), {
      what: "a new order",
    });
    expect(await admin<RestoreStatus>("GET", "/restore")).toMatchObject({ held: false, connectionsAtRisk: [] });
  });

  test("has an audit log that goes on and tells of the restore", async () => {
    const actions = (await sdk.audit.list().toArray({ limit: 1_000 })).map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(["database.restore", "database.confirm_restore"]));
    const said = await run(env, (commands) =>
      commands.verifyAudit({ workspace: null, checkpointFile: null, logFile: null, publicKey: null }),
    );
    expect(said).toContain("intact");
    expect(said).toMatch(/RESTORED at .* from a backup of/);
  });
});

const ALL = { api: true, worker: true };

/** A command in this process: a machine of its own has its own settings only. @returns what it printed */
async function run(settings: Readonly<Record<string, string>>, work: (commands: Commands) => Promise<void>) {
  const lines: string[] = [];
  await work(bindCommands({ env: settings, cwd: folder, print: (line) => lines.push(line) }));
  return lines.join("\n");
}

/** The keys and the operator's token came another way than the backup. */
async function otherMachine(): Promise<Record<string, string>> {
  const dataDir = join(folder, "data");
  const from = source.env["PATCHBAY_DATA_DIR"] ?? "";
  await cp(join(from, "keys"), join(folder, "keys"));
  await cp(join(from, "operator-token"), join(folder, "operator-token"));
  const { DATABASE_URL: _, PATCHBAY_LOG_LEVEL: __, ...settings } = source.env;
  return {
    ...settings,
    PATCHBAY_LOG_LEVEL: "error",
    PATCHBAY_DATA_DIR: dataDir,
    PATCHBAY_KEY_FILE: join(folder, "keys"),
    PATCHBAY_OPERATOR_TOKEN_FILE: join(folder, "operator-token"),
    PATCHBAY_PORT: settings["PATCHBAY_PORT"] ?? String(await freePort()),
  };
}

async function adminOf(settings: Readonly<Record<string, string>>): Promise<postgres.Sql | null> {
  const dataDir = settings["PATCHBAY_DATA_DIR"] ?? "";
  if ((await stat(join(dataDir, "cluster")).catch(() => null)) === null) return null;
  const server = await findEmbeddedPostgres(dataDir);
  return server === null ? null : postgres({ ...server.adminConnection, max: 1, onnotice: () => {} });
}

async function placeOrders(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    source.sandbox.shopify.act(SHOP, "place-order", {});
    const placed = i + 1;
    await waitFor(async () => (await ordersIn(workspace.sdk)).length >= placed, { what: `order ${placed}` });
  }
}

async function ordersIn(sdk: Sdk) {
  const events = await sdk.events.list().toArray({ limit: 1_000 });
  return events.filter((event) => event.type === "order.created");
}

async function pendingEvents(): Promise<readonly string[]> {
  const sql = await adminOf(env);
  const rows =
    (await sql?.unsafe(
      `select event_id from deliveries d join tenants t on t.uid = d.tenant_uid where d.status = 'pending' and t.erased_at is null`,
    )) ?? [];
  await sql?.end();
  return rows.map((row) => encodeId("evt", row["event_id"] as EventId));
}

/** As if it had taken until the next tries. */
async function dueNow(): Promise<void> {
  const dataDir = env["PATCHBAY_DATA_DIR"] ?? "";
  const server = await startEmbeddedPostgres({ dataDir, log: silentLogger });
  const sql = postgres({ ...server.adminConnection, max: 1, onnotice: () => {} });
  await sql`update queue.items set run_at = now()`;
  await sql`update queue.lanes set next_at = now(), lease_until = null, lease_token = null`;
  await sql`update deliveries set next_attempt_at = now() where status = 'pending'`;
  await sql`update endpoints set open_until = null`;
  await sql.end();
  await server.stop();
}

async function heldSeconds(): Promise<number> {
  const token = (await readFile(env["PATCHBAY_OPERATOR_TOKEN_FILE"] ?? "", "utf8")).trim();
  const response = await fetch(`${restored?.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  return Number(/^pb_restore_held_seconds (\S+)$/m.exec(await response.text())?.[1]);
}

async function admin<Answer>(method: string, path: string): Promise<Answer> {
  const token = (await readFile(env["PATCHBAY_OPERATOR_TOKEN_FILE"] ?? "", "utf8")).trim();
  const response = await fetch(`${restored?.url}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

/** Requests that this process makes to one of these, and that are not the test's own. */
function outboundCalls(origins: readonly string[]) {
  const seen: string[] = [];
  const note = (message: unknown) => {
    const { origin, path } = (message as { request: { origin: string; path: string } }).request;
    if (origins.includes(String(origin))) seen.push(`${origin}${path}`);
  };
  subscribe("undici:request:create", note);
  return {
    sinceMs: performance.now(),
    end() {
      unsubscribe("undici:request:create", note);
      return seen;
    },
  };
}

/** A host's webhook endpoint. */
async function startHost() {
  const received = new Set<string>();
  const server: Server = createServer((request, response) => {
    if (host.answer === 204) received.add(String(request.headers["webhook-id"]));
    request.resume();
    response.writeHead(host.answer).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const host = {
    origin: `http://localhost:${address.port}`,
    answer: 204,
    received,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return host;
}
