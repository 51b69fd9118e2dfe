import { decodeId, type ModelName, type TenantUid } from "@patchbay/shared";
import { startSandbox, type SandboxOptions } from "@patchbay/sandbox";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectorById, connectors } from "../../packages/backend/src/connectors/index.ts";
import { createLocalKeyFile, createVault, openLocalKeys } from "../../packages/backend/src/domain/vault/index.ts";
import { createWorkspace, putProviderApp } from "../../packages/backend/src/domain/workspaces/index.ts";
import { ensureInboxPartitions, openDatabase, openInboxDays } from "../../packages/backend/src/platform/db/index.ts";
import { createEgress } from "../../packages/backend/src/platform/egress/index.ts";
import { markDirty } from "../../packages/backend/src/products/ingest/fetcher/mark-dirty.ts";
import { fetchItem, lockLanes } from "../../packages/backend/src/products/ingest/tasks.ts";
import {
  createLaneWorker,
  createWake,
  enqueue,
  type ClaimedLane,
} from "../../packages/backend/src/platform/lanes/index.ts";
import { silentLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { Secret, systemClock } from "../../packages/backend/src/platform/runtime/index.ts";
import { createAudit } from "../../packages/backend/src/domain/audit/index.ts";
import { createIngest, decodeSource, type IngestDeps } from "../../packages/backend/src/products/ingest/index.ts";
import {
  createProviderClient,
  type ProviderClient,
} from "../../packages/backend/src/products/provider-client/index.ts";
import { aConnection, type ConnectionFixture } from "./builders.ts";
import { checkEvents } from "./check-events.ts";
import { createTestDatabase } from "./database.ts";

export type IngestWorld = Awaited<ReturnType<typeof createIngestWorld>>;

const CLIENT_ID = "ingest-test";
const SECRET = "hush_ingest_test";
const SCOPES = "read_customers,read_products,read_inventory,read_orders";
const MODELS: readonly ModelName[] = ["account", "customer", "product", "variant", "order", "refund"];

/**
 * The ingest module between a real database and the sandbox: real vault, egress, lanes, provider client and HTTP both
 * ways. Only the tokens are simply given.
 */
export async function createIngestWorld(sizes: Pick<SandboxOptions, "orders" | "products" | "customers"> = {}) {
  const testDatabase = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), "patchbay-ingest-"));
  await createLocalKeyFile(join(folder, "keys"));
  const sandbox = await startSandbox({ ...sizes, clock: hurriedClock() });
  const database = openDatabase(testDatabase.connection, 12);
  const clock = systemClock;
  const log = silentLogger;
  await ensureInboxPartitions({ asMaintenance: database.as("patchbay_maintenance").withQueue, clock });
  const [app, worker, ingestRole] = [
    database.as("patchbay_app"),
    database.as("patchbay_worker"),
    database.as("patchbay_ingest"),
  ];
  const vault = createVault({
    withWorkspace: app.withWorkspace,
    keys: await openLocalKeys(join(folder, "keys")),
    clock,
  });
  const wake = await createWake({ log, database: null });
  const egress = createEgress({ log });
  const tokens = new Map<string, { readonly token: string; readonly shop: string }>();
  const client = createProviderClient({
    credentials: givenTokens(tokens, sandbox.url),
    egress,
    connectors: Object.fromEntries(connectors.map((connector) => [connector.id, { ...connector, ...UNLIMITED }])),
    sandboxOrigins: [sandbox.url],
    clock,
    random: () => 0.5,
    log,
    sleep: (ms, signal) => sleepAbortably(ms, signal),
  });
  /** What tests put between the module and the provider. */
  const between: { call: ProviderClient["call"] } = { call: (...args) => client.call(...args) };
  const door = await openDoor((path, headers, rawBody) => {
    const [, provider = "", source = ""] = /^\/in\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
    const ref = decodeSource(source);
    if (ref === null) throw Object.assign(new Error("no source"), { status: 404 });
    return ingest.accept({ ...ref, provider, headers, rawBody, receivedAt: clock.now() });
  });
  const deps: IngestDeps = {
    app,
    worker,
    ingest: ingestRole,
    vault,
    audit: createAudit({ withWorkspace: app.withWorkspace, vault, clock }),
    client: { call: (...args) => between.call(...args) },
    connectorById,
    clock,
    wake,
    log,
    publicUrl: door.url,
    inboxRetentionDays: 30,
    openInboxDays: (instants) =>
      openInboxDays({ asMaintenance: database.as("patchbay_maintenance").withQueue }, instants),
    runIntervalMs: 900_000,
  };
  const ingest = createIngest(deps);
  const lanes = (handle: (lane: ClaimedLane) => Promise<void> = ingest.handleLane) =>
    createLaneWorker({ database: worker, kind: "connection", handle, lanesMax: 4, itemsPerLane: 20, clock, wake, log });
  const stops: (() => Promise<unknown>)[] = [];

  return {
    sql: testDatabase.sql,
    deps,
    database,
    sandbox,
    ingest,
    between,
    door,
    /** Routes and works lanes in the background from now on. */
    start() {
      const workers = lanes();
      ingest.router.start();
      workers.start();
      stops.push(
        () => ingest.router.stop(),
        () => workers.stop(),
      );
    },
    lanes,
    /** A connection to a store of the sandbox, in a workspace of its own unless given. */
    async connect(given: { readonly shop?: string; readonly workspaceId?: ConnectionFixture["workspaceId"] } = {}) {
      const shop = given.shop ?? "acme-goods.myshopify.com";
      const workspaceId = given.workspaceId ?? (await aWorkspace());
      sandbox.shopify.registerApp({ clientId: CLIENT_ID, clientSecret: SECRET, redirectUris: ["http://localhost:*"] });
      const providerApp = await registerProviderApp(workspaceId, SECRET);
      const { id } = sandbox.shopify.catalog(shop).profile;
      const connection = await aConnection(testDatabase.sql, {
        workspaceId,
        providerAppId: providerApp.id,
        tenantUid: randomUUID() as TenantUid,
        tenantExternalId: `tenant-${randomUUID()}`,
        accountId: `gid://shopify/Shop/${id}`,
        params: { shop },
        models: MODELS,
      });
      await testDatabase.sql`update connections set account_aliases = ${[shop, String(id)]}
                             where id = ${connection.connectionId}`;
      tokens.set(connection.grantId, { token: await installApp(sandbox.url, shop), shop });
      return { ...connection, shop };
    },
    /** Queues what activation queues. */
    async activate(connection: ConnectionFixture) {
      await app.withWorkspace(connection.workspaceId, (tx) => ingest.onConnectionActivated(tx, connection));
      wake.poke("lanes:connection");
    },
    /** What the router writes for a webhook. */
    async hint(connection: ConnectionFixture, resource: string, ...remoteIds: readonly string[]) {
      await worker.withWorkspace(connection.workspaceId, async (tx) => {
        await lockLanes(tx, [connection]);
        const { connectionId } = connection;
        const hints = remoteIds.map((remoteId) => ({ connectionId, resource, remoteId, deleted: false }));
        await markDirty(tx, connection.workspaceId, hints, clock.now());
        await enqueue(tx, [fetchItem(connection, clock.now())]);
      });
      wake.poke("lanes:connection");
    },
    /** Changes the app's secret; the sandbox goes on signing with the old one. */
    rotateSecret: (workspaceId: ConnectionFixture["workspaceId"]) => registerProviderApp(workspaceId, `${SECRET}_2`),
    /** As another process, with caches of its own. */
    anotherIngest: () => createIngest(deps),
    /** The headers that the provider would send with a body. */
    signed(topic: string, shop: string, body: string, webhookId: string = randomUUID()): Record<string, string> {
      return {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": shop,
        "x-shopify-webhook-id": webhookId,
        "x-shopify-api-version": "2026-10",
        "x-shopify-hmac-sha256": createHmac("sha256", SECRET).update(body).digest("base64"),
      };
    },
    async close() {
      await Promise.all(stops.map((stop) => stop()));
      await door.close();
      await sandbox.close();
      await egress.close();
      await wake.close();
      await checkEvents(testDatabase.sql, vault);
      await database.close();
      await testDatabase.drop();
      await rm(folder, { recursive: true });
    },
  };

  function registerProviderApp(workspaceId: ConnectionFixture["workspaceId"], clientSecret: string) {
    return putProviderApp(
      { withWorkspace: app.withWorkspace, clock, vault, sandboxOrigins: [sandbox.url] },
      {
        workspaceId,
        provider: "shopify",
        body: { clientId: CLIENT_ID, clientSecret, baseUrlOverride: `${sandbox.url}/_shops/{shop}` },
      },
    );
  }

  async function aWorkspace() {
    const workspace = await createWorkspace(
      { withWorkspace: app.withWorkspace, clock },
      { name: "acme inc", mode: "test" },
    );
    const id = decodeId("ws", workspace.id);
    if (id === null) throw new Error("a workspace without an id");
    return id;
  }
}

/** The store's budgets fill up as if hours passed, and ours are not kept: no test here is about waiting for them. */
function hurriedClock(): { now(): Date } {
  const start = Date.now();
  return { now: () => new Date(start + (Date.now() - start) * HURRY) };
}
const HURRY = 100;
const UNLIMITED = { limits: [], observe: () => null };

/** Tokens as the sandbox gave them; a refused one stays refused. */
function givenTokens(
  tokens: ReadonlyMap<string, { readonly token: string; readonly shop: string }>,
  sandboxUrl: string,
): Parameters<typeof createProviderClient>[0]["credentials"] {
  const find = (grantId: string) => {
    const found = tokens.get(grantId);
    if (found === undefined) throw new Error("no such grant");
    return found;
  };
  return {
    refreshAfter401: async () => ({ problem: "reauthorize" }),
    condemn: async () => {},
    startCall: async ({ grantId }) => ({
      facts: {
        grantId,
        provider: "shopify",
        authMethod: "oauth2",
        providerAppId: randomUUID() as never,
        params: { shop: find(grantId).shop },
        accountId: "",
        mode: "test",
        baseUrlOverride: `${sandboxUrl}/_shops/{shop}`,
      },
      access: async () => ({ token: new Secret(find(grantId).token), rowVersion: 1 }),
    }),
  };
}

/** Consents as a merchant would, and exchanges the code. */
async function installApp(sandboxUrl: string, shop: string): Promise<string> {
  const redirectUri = "http://localhost:1/callback";
  const query = new URLSearchParams({ client_id: CLIENT_ID, scope: SCOPES, redirect_uri: redirectUri, state: "s" });
  const base = `${sandboxUrl}/_shops/${shop}/admin/oauth`;
  const consent = await fetch(`${base}/authorize?${query}`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ decision: "install" }),
  });
  const code = new URL(consent.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const answer = await fetch(`${base}/access_token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: CLIENT_ID, client_secret: SECRET, code }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return token;
}

type Door = (path: string, headers: Record<string, string>, rawBody: Uint8Array) => Promise<unknown>;

/** The HTTP in front of `accept`, as thin as can be: statuses as the API gives them. */
async function openDoor(accept: Door) {
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const),
      );
      const answer = (status: number) => {
        statuses.push(status);
        response.writeHead(status).end();
      };
      Promise.resolve()
        .then(() => accept(request.url ?? "", headers, Buffer.concat(chunks)))
        .then(
          () => answer(200),
          (error: unknown) => answer(error instanceof Error && "status" in error ? Number(error.status) : 500),
        );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  return {
    url: `http://localhost:${address.port}`,
    statuses,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function sleepAbortably(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("aborted"));
    });
  });
}
