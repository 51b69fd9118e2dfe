import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { putProviderApp } from "../../domain/workspaces/index.ts";
import { TEST_ROTATING, startKeyServer, type KeyServer } from "../credentials/testing/key-server.ts";
import { testConnector } from "../credentials/testing/test-connector.ts";
import { createProviderClient } from "../provider-client/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { rotateKeys } from "./rotate-keys.ts";
import { createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

const DAY_MS = 86_400_000;
const RETRY_MS = 6 * 60_000;
/** Commits and calls of one rotation. */
const STEPS = 7;

let server: KeyServer;
let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;
beforeAll(async () => {
  server = await startKeyServer();
  kit = await createConnectKit({
    sandboxOrigins: [server.origin],
    connectors: { keys: testConnector("keys", [TEST_ROTATING]) },
  });
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  workspace = await kit.aWorkspace();
  const body = { clientId: "c", clientSecret: "s", baseUrlOverride: server.origin };
  await putProviderApp(kit.shared, { ...workspace, provider: "keys", body });
  server.stillborn = false;
});

test("a key is replaced when its period is over, not before; the old one is revoked last", async () => {
  const { id } = await connectByKey();
  kit.clock.advance(29 * DAY_MS);
  await kit.connect.rotateKeys(workspace.workspaceId);
  expect(server.asked.filter((line) => line.startsWith("POST"))).toEqual([]);
  const old = keyNow();
  kit.clock.advance(DAY_MS);
  server.asked.length = 0;
  await kit.connect.rotateKeys(workspace.workspaceId);
  expect(server.asked).toEqual(["POST /api/keys 201", "GET /api/me 200", "DELETE /api/keys/:key 200"]);
  expect(keyNow()).not.toBe(old);
  expect(await kit.connect.test(workspace, id)).toMatchObject({ ok: true });
  await kit.connect.rotateKeys(workspace.workspaceId);
  expect(server.asked).toHaveLength(4);
  expect(await kit.systemActs(workspace)).toEqual([
    "grant.created",
    "grant.key_created",
    "grant.key_replaced",
    "grant.key_revoked",
  ]);
});

test("a new key that does not prove itself is not taken, and the old one is kept", async () => {
  const { id } = await connectByKey();
  const old = keyNow();
  server.stillborn = true;
  kit.clock.advance(30 * DAY_MS);
  await kit.connect.rotateKeys(workspace.workspaceId);
  expect(keyNow()).toBe(old);
  expect(await kit.connect.test(workspace, id)).toMatchObject({ ok: true });
  expect(await kit.systemActs(workspace)).toEqual(["grant.created", "grant.key_created", "grant.key_refused"]);
});

test("two processes at once make one new key", async () => {
  await connectByKey();
  kit.clock.advance(30 * DAY_MS);
  server.asked.length = 0;
  await Promise.all(Array.from({ length: 4 }, () => kit.connect.rotateKeys(workspace.workspaceId)));
  expect(server.asked.filter((line) => line.startsWith("POST"))).toHaveLength(1);
  expect(server.live.size).toBe(1);
});

test.each(Array.from({ length: STEPS }, (_, step) => step))(
  "killed around step %i, the connection works at once, and the next sweeps end with one key",
  async (step) => {
    for (const when of ["before", "after"] as const) {
      const { id } = await connectByKey();
      kit.clock.advance(30 * DAY_MS);
      await rotateKeys(dyingAt(step, when), workspace.workspaceId);
      expect(await kit.connect.test(workspace, id)).toMatchObject({ ok: true });
      for (let sweep = 0; sweep < 3; sweep++) {
        kit.clock.advance(RETRY_MS);
        await kit.connect.rotateKeys(workspace.workspaceId);
      }
      expect(await kit.connect.test(workspace, id)).toMatchObject({ ok: true });
      expect(server.live.size).toBe(1);
      await kit.connect.disconnect(workspace, id);
    }
  },
);

test("a client certificate near its end degrades the connection before it ends", async () => {
  const { workspaceId } = workspace;
  await kit.aSession(workspace);
  const connection = await connectByKey();
  const { grantId } = await kit.connect.findConnection(workspace, connection.id);
  const endsIn = (days: number) =>
    kit.sql`update grants set certificate_ends_at = ${new Date(kit.clock.now().getTime() + days * DAY_MS)}
      where id = ${grantId}`;
  await endsIn(31);
  await kit.connect.watchCertificates(workspaceId);
  expect(await kit.connect.getConnection(workspace, connection.id)).toMatchObject({ health: "ok" });
  await endsIn(29);
  await kit.connect.watchCertificates(workspaceId);
  await kit.connect.watchCertificates(workspaceId);
  expect(await kit.connect.getConnection(workspace, connection.id)).toMatchObject({
    health: "degraded",
    statusReason: "certificate_expiring",
  });
  expect((await kit.eventTypes(workspace)).filter((type) => type === "connection.degraded")).toHaveLength(1);
  expect(await kit.systemActs(workspace)).toEqual(["grant.created", "connection.degraded"]);
  await endsIn(0);
  await kit.connect.watchCertificates(workspaceId);
  expect(await kit.sql`select state from grants where id = ${grantId}`).toMatchObject([{ state: "dead" }]);
  expect((await kit.systemActs(workspace)).slice(2)).toEqual(["connection.credentials_died", "grant.died"]);
});

async function connectByKey() {
  const tenantId = `tenant-${randomUUID()}`;
  await kit.aSession(workspace, { tenantId });
  return kit.connect.connectWithCredentials({
    ...workspace,
    tenantId,
    provider: "keys",
    method: "rotating_key",
    parameters: {},
    fields: { key: keyNow() },
    models: ["account"],
  });
}

function keyNow(): string {
  const [key] = server.live;
  if (key === undefined || server.live.size !== 1) throw new Error(`${server.live.size} keys live`);
  return key;
}

/** A process that dies before or after its commit or call number `step`. */
function dyingAt(step: number, when: "before" | "after"): ConnectDeps {
  let count = 0;
  const mortal = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    const mine = count++;
    if (mine > step || (mine === step && when === "before")) throw new Error("killed");
    const value = await work();
    if (mine === step) throw new Error("killed");
    return value;
  };
  const { rotations } = kit.credentials;
  const client = createProviderClient({ ...kit.shared, credentials: kit.credentials });
  const deps = {
    ...kit.shared,
    egress: { request: (request: never) => mortal(() => kit.shared.egress.request(request)) },
    client: { call: (...call: Parameters<typeof client.call>) => mortal(() => client.call(...call)) },
    credentials: {
      ...kit.credentials,
      rotations: {
        ...rotations,
        write: (...given: Parameters<typeof rotations.write>) => mortal(() => rotations.write(...given)),
      },
    },
  };
  // Rotation uses no more of its dependencies than these.
  return deps as unknown as ConnectDeps;
}
