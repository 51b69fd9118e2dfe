import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AuthMethod } from "../../connectors/kit/index.ts";
import { putProviderApp } from "../../domain/workspaces/index.ts";
import { startAuthorizationServer, type AuthorizationServer } from "../credentials/testing/authorization-server.ts";
import { createAuthority, type IssuedCertificate, type TestAuthority } from "../credentials/testing/certificates.ts";
import { SCOPE, TEST_BASIC, TEST_MTLS, aField, testConnector } from "../credentials/testing/test-connector.ts";
import { createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

const DAY_MS = 86_400_000;
const ROUNDS = 10;
const PASSWORD = "pä:ss wörd: €";
/** On the same host as the certificates: a key that the host does not know. */
const BY_KEY: AuthMethod = {
  kind: "api_key",
  id: "key",
  name: "Key",
  fields: [aField("key", { multiline: false })],
  place: [{ kind: "header", field: "key", name: "x-key", prefix: "" }],
};

let authority: TestAuthority;
let certified: AuthorizationServer;
let basic: Server;
/** What the server behind HTTP Basic was sent. */
const sent: (string | undefined)[] = [];
let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;

beforeAll(async () => {
  authority = createAuthority();
  certified = await startAuthorizationServer(authority, { clients: () => [] });
  basic = await startBasicServer(new Map([["zoë@acme.example", PASSWORD]]));
  kit = await createConnectKit({
    sandboxOrigins: [certified.origin, originOf(basic)],
    connectors: { basic: testConnector("basic", [TEST_BASIC]), own: testConnector("own", [TEST_MTLS, BY_KEY]) },
  });
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  await certified[Symbol.asyncDispose]();
  basic.closeAllConnections();
  basic.close();
});
beforeEach(async () => {
  workspace = await kit.aWorkspace();
  for (const [provider, baseUrlOverride] of [
    ["basic", originOf(basic)],
    ["own", certified.origin],
  ] as const) {
    const body = { clientId: "c", clientSecret: "s", baseUrlOverride };
    await putProviderApp(kit.shared, { ...workspace, provider, body });
  }
  sent.length = 0;
  certified.shown.length = 0;
});

describe("user name and password", () => {
  test("reach the provider in UTF-8, colons of the password and all, in the header alone", async () => {
    const connection = await handOver("basic", "basic", { username: "zoë@acme.example", password: PASSWORD });
    expect(connection).toMatchObject({ status: "active", accountName: "zoë@acme.example" });
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
    const pair = Buffer.from(`zoë@acme.example:${PASSWORD}`, "utf8").toString("base64");
    expect(sent).toEqual([`/api/me Basic ${pair}`, `/api/me Basic ${pair}`]);
  });

  test("that the provider does not know are refused, and nothing is stored", async () => {
    await expect(handOver("basic", "basic", { username: "zoë@acme.example", password: "pass" })).rejects.toMatchObject({
      code: "invalid_credentials",
    });
    expect(await grantsOf()).toEqual([]);
  });

  test.each([
    ["a user name with a colon", { username: "acme:zoë", password: PASSWORD }, "username", "must not have a colon"],
    ["a control character", { username: "zoë", password: "a\u0007b" }, "password", "must not have control characters"],
    ["two lines", { username: "zoë", password: "a\nb" }, "password", "must be one line"],
  ])("%s is refused before anything is sent, by name and not by value", async (_, fields, field, problem) => {
    const error = await handOver("basic", "basic", fields).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "invalid_credentials" });
    const told = JSON.stringify(error);
    expect(told).toContain(`fields.${field}`);
    expect(told).toContain(problem);
    for (const value of Object.values(fields)) expect(told).not.toContain(value);
    expect(sent).toEqual([]);
  });
});

describe("client certificates of many connections to one host", () => {
  test("O12: each request shows its own connection's, whoever went before, and a key shows none", async () => {
    const acme = await handOver("own", "mtls", authority.issue("acme"));
    const bolt = await handOver("own", "mtls", authority.issue("bolt"));
    for (let round = 0; round < ROUNDS; round++) {
      const calls = [acme, bolt, acme, bolt].map(({ id }) => accountSeen(id));
      const withoutOne = handOver("own", "key", { key: "k" }).catch((caught: unknown) => caught);
      expect(await Promise.all(calls)).toEqual(["CN=acme", "CN=bolt", "CN=acme", "CN=bolt"]);
      expect(await withoutOne).toMatchObject({ code: "invalid_credentials" });
    }
    expect(certified.shown.filter((each) => each === null)).toHaveLength(ROUNDS);
  });

  test("O12: one that was replaced is not shown again, though its connections are still open", async () => {
    const [first, second] = [aCertificate(10), aCertificate(10)];
    const tenantId = aTenant();
    const connection = await handOver("own", "mtls", first, tenantId);
    const again = await handOver("own", "mtls", second, tenantId);
    expect(again.id).toBe(connection.id);
    expect(await accountSeen(again.id)).toBe("CN=acme");
    expect(certified.shown).toEqual([first, second, second].map(({ certificate }) => certificate));
  });

  test("O12: one that has ended is refused before anything is sent", async () => {
    const ended = authority.issue("acme", { from: new Date(Date.now() - 20 * DAY_MS), days: 10 });
    await expect(handOver("own", "mtls", ended)).rejects.toMatchObject({
      code: "invalid_credentials",
      message: expect.stringContaining("has ended"),
    });
    expect(await grantsOf()).toEqual([]);
  });

  test("O12: one that ends while it is in use is refused by the host, and needs a person", async () => {
    const connection = await handOver("own", "mtls", authority.issue("acme", { days: 3_000 / DAY_MS }));
    const problem = async () => {
      certified.dropConnections();
      return (await kit.connect.test(workspace, connection.id)).problem;
    };
    expect(await problem()).toBeNull();
    await expect.poll(problem, { timeout: 10_000, interval: 200 }).toBe("reauthorization_required");
  });
});

describe("a short-lived client certificate", () => {
  test("is told of once, 30 days before its end; a new one heals, told once", async () => {
    const tenantId = aTenant();
    const { id } = await handOver("own", "mtls", aCertificate(40), tenantId);
    expect(await watched(id)).toEqual({ health: "ok", told: ["connection.activated"] });
    kit.clock.advance(11 * DAY_MS);
    const degraded = { health: "degraded", told: ["connection.activated", "connection.degraded"] };
    expect(await watched(id)).toEqual(degraded);
    expect(await watched(id)).toEqual(degraded);
    const connection = await kit.connect.getConnection(workspace, id);
    expect(connection).toMatchObject({ status: "active", statusReason: "certificate_expiring" });
    await handOver("own", "mtls", aCertificate(400), tenantId);
    const healed = { health: "ok", told: [...degraded.told, "connection.recovered"] };
    expect(await watched(id)).toEqual(healed);
    expect(await watched(id)).toEqual(healed);
  });

  test("that ended needs a person; a new one brings the same connection back, told once", async () => {
    const tenantId = aTenant();
    const { id } = await handOver("own", "mtls", aCertificate(2), tenantId);
    kit.clock.advance(3 * DAY_MS);
    await kit.connect.watchCertificates(workspace.workspaceId);
    expect(await kit.connect.test(workspace, id)).toMatchObject({ problem: "reauthorization_required" });
    const again = await handOver("own", "mtls", aCertificate(400), tenantId);
    expect(again).toMatchObject({ id, status: "active" });
    expect((await watched(id)).told.filter((type) => type === "connection.recovered")).toHaveLength(1);
  });
});

/** For so many days by the clock of the product, which may be ahead of the host's. */
function aCertificate(days: number): IssuedCertificate {
  const aheadMs = kit.clock.now().getTime() - Date.now();
  return authority.issue("acme", { days: days + aheadMs / DAY_MS });
}

async function watched(id: string): Promise<{ readonly health: string; readonly told: readonly string[] }> {
  await kit.connect.watchCertificates(workspace.workspaceId);
  const { health } = await kit.connect.getConnection(workspace, id);
  return { health, told: await kit.eventTypes(workspace) };
}

/** Whose account the host says the connection's own request opens. */
async function accountSeen(id: string): Promise<string | null> {
  const tested = await kit.connect.test(workspace, id);
  if (!tested.ok) throw new Error(JSON.stringify(tested));
  return (await kit.connect.getConnection(workspace, id)).accountName;
}

function aTenant(): string {
  return `tenant-${randomUUID()}`;
}

async function handOver(
  provider: string,
  method: string,
  fields: Readonly<Record<string, string>> | IssuedCertificate,
  tenantId = aTenant(),
) {
  await kit.aSession(workspace, { tenantId });
  return kit.connect.connectWithCredentials({
    ...workspace,
    tenantId,
    provider,
    method,
    parameters: {},
    fields: { ...fields },
    models: ["account"],
  });
}

async function grantsOf() {
  return kit.sql`select id from grants where workspace_id = ${workspace.workspaceId}`;
}

/** An API behind HTTP Basic that takes the header apart as RFC 7617 says. */
async function startBasicServer(users: ReadonlyMap<string, string>): Promise<Server> {
  const server = createServer((request, response) => {
    const header = request.headers.authorization;
    sent.push(`${request.url} ${header}`);
    const pair = Buffer.from((header ?? "").replace(/^Basic /, ""), "base64").toString("utf8");
    const colon = pair.indexOf(":");
    const [user, password] = [pair.slice(0, colon), pair.slice(colon + 1)];
    const known = header?.startsWith("Basic ") === true && colon >= 0 && users.get(user) === password;
    response.writeHead(known ? 200 : 401, { "content-type": "application/json", "www-authenticate": "Basic" });
    response.end(JSON.stringify(known ? { account: user, scope: SCOPE } : {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function originOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}
