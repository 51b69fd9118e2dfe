/** What a request pays for being known and remembered: printed, never judged. */
import { decodeId, type ApiKeyId, type WorkspaceId } from "@patchbay/shared";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { createAudit, type Audit } from "../../domain/audit/index.ts";
import { findTenantUid } from "../../domain/connections/index.ts";
import { createVault, openLocalKeys } from "../../domain/vault/index.ts";
import { authenticateApiKey, createApiKey, createWorkspace, putTenant } from "../../domain/workspaces/index.ts";
import { openDatabase, type Database, type WithWorkspace } from "../../platform/db/index.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { Secret, systemClock } from "../../platform/runtime/index.ts";
import { createApp, type AppDeps } from "./app.ts";
import { tenantRoutes } from "./routes/tenants.ts";

/** `PATCHBAY_TEST_TIMINGS` asks for more. */
const REQUESTS = Number(process.env["PATCHBAY_TEST_TIMINGS"] ?? 150);

let fixture: TestDatabase;
let database: Database;
let folder = "";
let audit: Audit;
let withWorkspace: WithWorkspace;
let workspaceId: WorkspaceId;
let apiKey = "";

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 6);
  ({ withWorkspace } = database.as("patchbay_app"));
  folder = await mkdtemp(join(tmpdir(), "patchbay-cost-"));
  await writeFile(join(folder, "keys"), `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  const deps = { withWorkspace, clock: systemClock };
  audit = createAudit({ ...deps, vault: createVault({ ...deps, keys: await openLocalKeys(join(folder, "keys")) }) });
  const made = await createWorkspace(deps, { name: "A host", mode: "test" });
  workspaceId = decodeId("ws", made.id) ?? (randomUUID() as WorkspaceId);
  const key = await createApiKey(deps, { workspaceId, name: "k", scopes: ["tenants:write"] });
  apiKey = key.secret;
  await putTenant(deps, { workspaceId, id: "acme", body: {} });
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
  await rm(folder, { recursive: true });
});

test("what the audit log and the look-up of its API key cost a request that changes something: figures are printed", async () => {
  const apps = { whole: anApp({}), unaudited: anApp({ audit: SILENT }), unasked: anApp({ authenticate: known }) };
  const times: Record<keyof typeof apps, number[]> = { whole: [], unaudited: [], unasked: [] };
  // In turn, so that all meet the same machine; the first ones warm up.
  for (let round = -20; round < REQUESTS; round++) {
    for (const name of ["whole", "unaudited", "unasked"] as const) {
      const startedMs = performance.now();
      const { status } = await apps[name].request("/v1/tenants/acme", {
        method: "PUT",
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        body: JSON.stringify({ name: `Acme ${round}` }),
      });
      expect(status).toBe(200);
      if (round >= 0) times[name].push(performance.now() - startedMs);
    }
  }
  const [whole, unaudited, unasked] = [times.whole, times.unaudited, times.unasked].map(median) as [
    number,
    number,
    number,
  ];
  const line = (what: string, without: number) =>
    `${what} ${(whole - without).toFixed(2)} ms (${(whole / without).toFixed(2)} times the request without)`;
  process.stdout.write(
    `request cost: PUT /v1/tenants/{id} takes ${whole.toFixed(2)} ms at the median of ${REQUESTS}; ` +
      `${line("audit", unaudited)}, ${line("look-up of the API key", unasked)}\n`,
  );
});

const SILENT: Audit = {
  writer: async () => ({ append: async () => {} }),
  record: async () => {},
  person: async () => "usr_x",
};

const known: AppDeps["authenticate"] = async () => ({
  workspaceId,
  mode: "test",
  keyId: randomUUID() as ApiKeyId,
  scopes: ["tenants:write"],
  allowedNetworks: [],
  expiresAt: null,
});

function anApp(given: Partial<Pick<AppDeps, "audit" | "authenticate">>) {
  const deps = { withWorkspace, clock: systemClock };
  return createApp({
    ...deps,
    log: silentLogger,
    authenticate: (key, address) => authenticateApiKey(deps, key, address),
    operatorToken: new Secret("o".repeat(40)),
    idempotency: async (_, next) => next(),
    connectGuard: async (_, next) => next(),
    routes: tenantRoutes(deps).map((route) => ({ audience: "api", route })),
    mounts: [],
    publicUrl: "http://localhost:4400",
    trustedProxies: [],
    version: "1",
    audit,
    tenantOf: (id, of) => findTenantUid(deps, id, of),
    workspaceExists: async () => true,
    ...given,
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
