import { decodeId, type KeyStatus, type WorkspaceId } from "@patchbay/shared";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { continueRotations } from "../../packages/backend/src/continue-rotations.ts";
import { createAudit } from "../../packages/backend/src/domain/audit/index.ts";
import { createVault, openLocalKeys } from "../../packages/backend/src/domain/vault/index.ts";
import { openDatabase, type Database } from "../../packages/backend/src/platform/db/index.ts";
import { createLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { createRotationJournal } from "../../packages/backend/src/rotation-journal.ts";
import { SEALED_COLUMNS } from "../../packages/backend/src/sealed-columns.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";

/** Longer than any two passes lie apart. */
const PASS_MS = 61 * 60_000;

let product: TestProduct;
let workspace: TestWorkspace;
let database: Database;
beforeAll(async () => {
  product = await startTestProduct({ roles: { api: true, worker: false } });
  workspace = await product.addWorkspace();
  database = openDatabase(product.database.connection, 4);
});
afterAll(async () => {
  await database.close();
  await product.close();
});

test("a rotation that cannot open a value warns once a pass, shows it to the operator, and ends when it is mended", async () => {
  const lines: string[] = [];
  const work = await aWorker(lines);
  const damage = () =>
    product.database
      .sql`update provider_apps set client_secret = set_bit(client_secret, 400, 1 - get_bit(client_secret, 400))`;
  await damage();
  await ask("POST", `/workspaces/${workspace.workspace.id}/key-rotations`, { kind: "data" });

  await work(0);
  expect(await rotations()).toMatchObject([{ state: "waiting", pass: 1, unopened: 1 }]);
  await work(0);
  await work(PASS_MS);
  await work(0);
  expect(await rotations()).toMatchObject([{ state: "waiting", pass: 2, unopened: 1 }]);
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told).toMatchObject([1, 2].map((pass) => ({ level: 40, kind: "data", pass, unopened: 1 })));
  const known = ["level", "time", "msg", "workspaceId", "rotationId", "kind", "pass", "unopened"];
  expect(told.flatMap((line) => Object.keys(line)).filter((key) => !known.includes(key))).toEqual([]);

  await damage();
  await work(PASS_MS);
  await work(PASS_MS);
  expect(await rotations()).toEqual([]);
});

/** A worker with a clock of its own. @returns what lets time pass and then has it look once */
async function aWorker(lines: string[]): Promise<(passMs: number) => Promise<void>> {
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const keys = await openLocalKeys(join(product.env["PATCHBAY_DATA_DIR"] ?? "", "keys"));
  const { withWorkspace } = database.as("patchbay_app");
  const audit = createAudit({ withWorkspace, vault: createVault({ withWorkspace, keys, clock }), clock });
  const deps = {
    database: database.as("patchbay_worker"),
    keys,
    clock,
    columns: SEALED_COLUMNS,
    journal: createRotationJournal(audit, { kind: "system", id: null }),
    // Pino's number of "warn" is 40.
    log: createLogger("warn", { write: (line: string) => lines.push(line) }),
  };
  const workspaceId = decodeId("ws", workspace.workspace.id) as WorkspaceId;
  return async (passMs) => {
    aheadMs += passMs;
    await continueRotations(deps, workspaceId);
  };
}

async function rotations(): Promise<KeyStatus["rotations"]> {
  const status = (await (await ask("GET", "/keys")).json()) as KeyStatus;
  return status.rotations;
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const response = await fetch(`${product.url}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${product.operatorToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.ok).toBe(true);
  return response;
}
