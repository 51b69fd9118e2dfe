/** Secrets that are known here letter by letter, looked for in all that the product writes and says. */
import { Patchbay } from "@patchbay/node";
import { MODEL_NAMES, decodeId, type ExportedCredentials, type WorkspaceId } from "@patchbay/shared";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { createDecipheriv, generateKeyPairSync, privateDecrypt, randomBytes, type KeyObject } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openLocalKeys, workRotations, type RotationJournal } from "../../packages/backend/src/domain/vault/index.ts";
import { openDatabase } from "../../packages/backend/src/platform/db/index.ts";
import { createLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { SEALED_COLUMNS } from "../../packages/backend/src/sealed-columns.ts";
import { connectStore } from "../harness/connect-store.ts";
import { formsFoundIn } from "../harness/leaks.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { scratchRoot } from "../harness/scratch-root.ts";
import { waitFor } from "../harness/wait-for.ts";
import { ORIGIN, send, withKey, withSession } from "./http.ts";
import { everythingListed, mintSession, startAuthorization } from "./world.ts";

const SHOP = "acme-goods.myshopify.com";
/** What is kept on purpose: the workspace is part of keys and tokens, and no secret. */
const PUBLIC_PREFIX = /^(?:pb_test_[0-9a-z]{26}[0-9A-Za-z]{12}|cst_test_[0-9a-z]{26}|whsec_|shp[a-z]{2}_)/;

let product: TestProduct;
let receiver: Server;
let folder: string;
let secrets: Readonly<Record<string, string>>;
const logs: string[] = [];
const answers: string[] = [];
/** Texts of `pg_stat_activity`. */
const activity = new Set<string>();
beforeAll(async () => {
  folder = await mkdtemp(join(await scratchRoot(), "canaries-"));
  receiver = createServer((request, response) => request.resume().on("end", () => response.writeHead(500).end("no")));
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const log = createLogger("trace", { write: (line) => logs.push(line) });
  const stateFile = join(folder, "sandbox");
  product = await startTestProduct({
    log,
    sandbox: { stateFile },
    endpointOrigins: [receiverUrl()],
    // Holds for connections that are made from now on.
    arrange: async ({ name, sql }) => {
      await sql.unsafe(`alter database ${name} set log_statement = 'all'`);
    },
  });
  const stopWatching = watchActivity();
  secrets = await liveThroughEverything(stateFile);
  await stopWatching();
}, 120_000);
afterAll(async () => {
  await product.close();
  receiver.closeAllConnections();
  receiver.close();
  await rm(folder, { recursive: true });
});

describe("a secret", () => {
  test("V11: is there to be looked for", () => {
    expect(Object.keys(secrets).length).toBeGreaterThanOrEqual(17);
    for (const [name, secret] of Object.entries(secrets)) expect(secret.length, name).toBeGreaterThan(20);
    expect(logs.length).toBeGreaterThan(100);
    expect(logs.filter((line) => line.includes('"level":20')).length).toBeGreaterThan(0);
    expect(answers.length).toBeGreaterThan(20);
  });

  test("V11: would be found in each of the forms", () => {
    const secret = "a canary that sings";
    for (const encoding of ["utf8", "hex", "base64", "base64url"] as const) {
      for (const before of ["", "1", "12"]) {
        const text = Buffer.from(`${before}${secret} and on`).toString(encoding);
        expect(formsFoundIn(text, secret), `${encoding} after ${before.length}`).not.toEqual([]);
      }
    }
    expect(formsFoundIn(Buffer.from("nothing of it").toString("base64"), secret)).toEqual([]);
  });

  test("V11: is in no log line, at the level trace", () => {
    expect(found(logs.join("\n"))).toEqual([]);
  });

  test("V11: is in no answer but the one that gives it", () => {
    expect(found(answers.join("\n"))).toEqual([]);
  });

  test("V12: is in no statement that the database server logs or shows, parameters included", async () => {
    expect(activity.size).toBeGreaterThan(5);
    expect(found([...activity].join("\n"))).toEqual([]);
    const serverLog = await readFile(join(inject("postgres").admin.host, "..", "postgres.log"), "latin1");
    expect(serverLog).toContain("set_config");
    expect(serverLog).toContain("Parameters: ");
    expect(found(serverLog)).toEqual([]);
  });

  test("V11: is in no table in clear", async () => {
    const { text, tables } = await dump();
    expect(tables).toBeGreaterThan(40);
    expect(text).toContain("gid://shopify/Shop/");
    expect(found(text)).toEqual([]);
  });
});

/** Connect, sync, deliver, fail, refresh and repair, with secrets that are known. */
async function liveThroughEverything(stateFile: string): Promise<Readonly<Record<string, string>>> {
  const workspace = await product.addWorkspace();
  const { sdk, apiKey } = workspace;
  const clientSecrets = [canary("first"), canary("second")] as const;
  const app = (clientSecret: string) => ({
    clientId: "canary-app",
    clientSecret,
    redirectUris: ["http://localhost:*"],
  });
  const baseUrlOverride = `${product.sandbox.url}/_shops/{shop}`;
  for (const clientSecret of clientSecrets) {
    product.sandbox.shopify.registerApp(app(clientSecret));
    await sdk.providers.setApp("shopify", { clientId: "canary-app", clientSecret, baseUrlOverride });
  }
  const endpoint = await sdk.webhookEndpoints.create({ url: `${receiverUrl()}/in`, models: ["order"] });
  const rotated = await sdk.webhookEndpoints.rotateSecret(endpoint.id, { graceHours: 24 });
  const browser: Record<string, string> = {};
  const connection = await connectStore(product, workspace, {
    shop: SHOP,
    onSecret: (name, value) => (browser[name] = value),
  });
  const token = await mintSession(workspace, "acme", "canary");
  const kept = await send(product, {
    method: "POST",
    path: "/v1/connect-sessions",
    headers: { ...withKey(apiKey), "idempotency-key": "canary" },
    body: { tenantId: "acme", endUser: { id: "kept" }, allowedOrigins: [ORIGIN] },
  });
  const { startUrl } = await startAuthorization(product, token);
  const start = await fetch(startUrl, { redirect: "manual" });
  const state = new URL(start.headers.get("location") ?? "").searchParams.get("state") ?? "";
  const nonce = /=([^;]+)/.exec(start.headers.get("set-cookie") ?? "")?.[1] ?? "";
  product.sandbox.shopify.act(SHOP, "place-order", {});
  await waitFor(async () => {
    const attempts = await sdk.webhookEndpoints.attempts(endpoint.id).toArray({ limit: 1 });
    return attempts.some((each) => each.problem !== null);
  });
  const tokens = await tokensIn(stateFile);
  const moved = await moveAndRotate(workspace, connection.id);
  await fail(workspace.apiKey, token, connection.id);
  await readEverything(apiKey, token, connection.id);
  await eraseOne(workspace);
  return {
    clientSecret: clientSecrets[0],
    nextClientSecret: clientSecrets[1],
    apiKey,
    endpointSecret: endpoint.secret,
    rotatedEndpointSecret: rotated.secret,
    sessionToken: token,
    keptSessionToken: String((JSON.parse(kept.text) as { token: string }).token),
    ticket: (startUrl.split("/").at(-1) ?? "").slice(52),
    state: state.slice(52),
    nonce,
    operatorToken: product.operatorToken,
    databasePassword: decodeURIComponent(new URL(product.database.url).password),
    ...(await keysIn(product.env["PATCHBAY_DATA_DIR"] ?? "")),
    ...browser,
    ...tokens,
    ...moved,
  };
}

/** Credentials leave and come in again, keys of the API and of the vault are replaced. */
async function moveAndRotate(
  { sdk, apiKey, workspace }: TestWorkspace,
  connectionId: string,
): Promise<Readonly<Record<string, string>>> {
  const keeper = await sdk.apiKeys.create({ name: "keeper", scopes: ["credentials:export"] });
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const exporting = new Patchbay({ apiKey: keeper.secret, baseUrl: product.url });
  const { jwe } = await exporting.connections.export(connectionId, {
    publicKey: { ...publicKey.export({ format: "jwk" }), kty: "RSA" },
  });
  answers.push(jwe);
  const { credentials } = opened(jwe, privateKey);
  await sdk.tenants.upsert({ id: "mover" });
  const body = { tenantId: "mover", provider: "shopify", parameters: { shop: SHOP }, ...credentials };
  const path = "/v1/connections/import";
  const imported = await send(product, { method: "POST", path, headers: withKey(apiKey), body });
  expect(imported.status).toBe(201);
  answers.push(imported.text);
  const successor = await sdk.apiKeys.rotate(keeper.id);
  const operator = withKey(product.operatorToken);
  for (const kind of ["data", "workspaceKey"]) {
    const rotations = `/admin/v1/workspaces/${workspace.id}/key-rotations`;
    const request = { method: "POST", path: rotations, headers: operator, body: { kind } };
    answers.push((await send(product, request)).text);
  }
  await sealAnew(decodeId("ws", workspace.id) as WorkspaceId);
  answers.push((await send(product, { method: "GET", path: "/admin/v1/keys", headers: operator })).text);
  return { exportingKey: keeper.secret, rotatedKey: successor.secret };
}

/** As a worker does within the hour. */
async function sealAnew(workspaceId: WorkspaceId): Promise<void> {
  const database = openDatabase(product.database.connection, 2);
  const keys = await openLocalKeys(join(product.env["PATCHBAY_DATA_DIR"] ?? "", "keys"));
  const clock = { now: () => new Date() };
  const journal: RotationJournal = { open: async () => async () => {} };
  const deps = { database: database.as("patchbay_worker"), keys, clock, columns: SEALED_COLUMNS, journal };
  const renewed: number[] = [];
  await workRotations(deps, workspaceId, (rotation) => renewed.push(rotation.renewed));
  expect(Math.max(...renewed)).toBeGreaterThan(10);
  await database.close();
}

/** RFC 7516, 5.2, for RSA-OAEP-256 and A256GCM. */
function opened(jwe: string, privateKey: KeyObject): ExportedCredentials {
  const [header = "", ...parts] = jwe.split(".");
  const [wrapped = "", iv = "", text = "", tag = ""] = parts;
  const bytes = (part: string) => Buffer.from(part, "base64url");
  const key = privateDecrypt({ key: privateKey, oaepHash: "sha256" }, bytes(wrapped));
  const decipher = createDecipheriv("aes-256-gcm", key, bytes(iv)).setAAD(Buffer.from(header)).setAuthTag(bytes(tag));
  return JSON.parse(Buffer.concat([decipher.update(bytes(text)), decipher.final()]).toString()) as ExportedCredentials;
}

/** Another tenant of the same store comes and goes. */
async function eraseOne(workspace: TestWorkspace): Promise<void> {
  await connectStore(product, workspace, { tenantId: "leaver", shop: SHOP });
  const path = "/v1/tenants/leaver";
  answers.push((await send(product, { method: "DELETE", path, headers: withKey(workspace.apiKey) })).text);
  answers.push((await send(product, { method: "GET", path: "/v1/erasures", headers: withKey(workspace.apiKey) })).text);
}

async function keysIn(dataDir: string): Promise<Readonly<Record<string, string>>> {
  const lines = (await readFile(join(dataDir, "keys"), "utf8")).matchAll(/^pbk1:([\w.-]+):([A-Za-z0-9+/]{43}=)/gm);
  return Object.fromEntries([...lines].map(([, version = "", key = ""]) => [`key${version}`, key]));
}

/** Looks again and again at what the server shows of its work. @returns how to stop */
function watchActivity(): () => Promise<void> {
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const rows = await product.database.sql<{ query: string }[]>`
        select query from pg_stat_activity, pg_sleep(0.02) where datname = current_database() and pid <> pg_backend_pid()`;
      for (const { query } of rows) activity.add(query);
    }
  })();
  return () => {
    stopped = true;
    return watching;
  };
}

/** Everything that goes wrong is logged: wrong keys, wrong signatures, tokens that died. */
async function fail(apiKey: string, token: string, connectionId: string): Promise<void> {
  const wrong = withKey(`${apiKey}x`);
  await send(product, { method: "GET", path: `/v1/tenants?apiKey=${apiKey}&token=${token}`, headers: wrong });
  await send(product, { method: "GET", path: `/nowhere/${apiKey}/${token}`, headers: wrong });
  await send(product, {
    method: "PUT",
    path: `/v1/tenants/${apiKey}`,
    headers: withKey(apiKey),
    body: { [token]: apiKey },
  });
  await send(product, { method: "GET", path: `/v1/connections/${token}`, headers: withKey(apiKey) });
  await fetch(`${product.url}/console/sign-in`, { method: "POST", body: new URLSearchParams({ token: apiKey }) });
  await fetch(`${product.url}/oauth/start/${token}`);
  product.sandbox.shopify.act(SHOP, "switches", { failCount: 2, failStatus: 500 });
  const test = { method: "POST", path: `/v1/connections/${connectionId}/test`, headers: withKey(apiKey) };
  await send(product, test);
  product.sandbox.shopify.act(SHOP, "revoke-tokens");
  await send(product, test);
}

/** Everything that can be read, by the API's key and by the widget's session. */
async function readEverything(apiKey: string, token: string, connectionId: string): Promise<void> {
  const plain = globalThis.fetch;
  const recording: typeof fetch = async (...args) => {
    const response = await plain(...args);
    answers.push(JSON.stringify([...response.headers]), await response.clone().text());
    return response;
  };
  const sdk = new Patchbay({ apiKey, baseUrl: product.url, maxRetries: 0, fetch: recording });
  answers.push(await everythingListed(product, apiKey, ["acme"]));
  const [endpoint] = await sdk.webhookEndpoints.list().toArray({ limit: 1 });
  await sdk.webhookEndpoints.retrieve(endpoint?.id ?? "");
  await sdk.webhookEndpoints.attempts(endpoint?.id ?? "").toArray({ limit: 100 });
  await sdk.connections.retrieve(connectionId);
  for (const item of await sdk.inbox.list().toArray({ limit: 5 })) {
    await sdk.inbox.retrieve(item.id);
    await sdk.inbox.retrieveRaw(item.id);
  }
  for (const model of MODEL_NAMES) await sdk.records.list("acme", model, { expand: "raw" }).toArray({ limit: 50 });
  for (const event of await sdk.events.list().toArray({ limit: 5 })) await sdk.events.retrieve(event.id);
  const widget = withSession(token);
  const session = { method: "POST", headers: { origin: ORIGIN }, body: JSON.stringify({ token }) };
  answers.push(await (await fetch(`${product.url}/connect/v1/session`, session)).text());
  const path = `/connect/v1/connections/${connectionId}`;
  answers.push((await send(product, { method: "GET", path, headers: widget })).text);
  const api = withKey(apiKey);
  for (const own of [
    "/v1/audit",
    "/v1/tenants/acme/records/order/export",
    `/v1/connections/${connectionId}/capabilities`,
  ]) {
    answers.push((await send(product, { method: "GET", path: own, headers: api })).text);
  }
  for (const page of ["/openapi.json", "/docs", "/readyz", "/metrics", "/console", "/nowhere"]) {
    answers.push((await send(product, { method: "GET", path: page })).text);
  }
  const admin = withKey(product.operatorToken);
  answers.push((await send(product, { method: "GET", path: "/admin/v1/workspaces", headers: admin })).text);
}

/** The provider's tokens, from the provider's own books. */
async function tokensIn(stateFile: string): Promise<Readonly<Record<string, string>>> {
  const tokens = await waitFor(async () => {
    const text = await readFile(stateFile, "latin1");
    const all = new Set(text.match(/shp(?:at|rt)_[A-Za-z0-9]+/g) ?? []);
    const kinds = new Set([...all].map((each) => each.slice(0, 6)));
    return kinds.size === 2 ? all : null;
  });
  return Object.fromEntries([...tokens].map((value, index) => [`${value.slice(0, 5)}${index}`, value]));
}

async function dump(): Promise<{ readonly text: string; readonly tables: number }> {
  const { sql } = product.database;
  const names = await sql<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`;
  const texts: string[] = [];
  for (const { name } of names) {
    const rows = await sql.unsafe<{ row: string }[]>(`select t::text as row from ${name} t`);
    texts.push(...rows.map(({ row }) => row));
  }
  return { text: texts.join("\n"), tables: names.length };
}

function found(text: string): readonly string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const forms = [...formsFoundIn(text, secret.replace(PUBLIC_PREFIX, ""))];
    // What a signing secret encodes is the secret too.
    // What a key in a file encodes is the key itself.
    if (name.startsWith("key")) forms.push(...formsFoundIn(text, Buffer.from(secret, "base64")));
    const inside = name.includes("ndpointSecret") ? Buffer.from(secret.slice("whsec_".length), "base64") : null;
    const bytes = inside === null ? [] : formsFoundIn(text, inside);
    return [...forms, ...bytes].map((form) => `${name} in ${form}`);
  });
}

function canary(name: string): string {
  return `canary-${name}-${randomBytes(24).toString("base64url")}`;
}

function receiverUrl(): string {
  const address = receiver.address();
  return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
}
