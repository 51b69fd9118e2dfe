/** What a person with the database in hand could try: put sealed values where they do not belong. */
import type { WorkspaceId } from "@patchbay/shared";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createVault,
  openLocalKeys,
  placeIn,
  type SealedColumn,
  type Vault,
} from "../../packages/backend/src/domain/vault/index.ts";
import { openDatabase, type Database } from "../../packages/backend/src/platform/db/index.ts";
import { systemClock } from "../../packages/backend/src/platform/runtime/index.ts";
import { SEALED_COLUMNS } from "../../packages/backend/src/sealed-columns.ts";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";

interface SealedValue {
  readonly workspaceId: WorkspaceId;
  readonly id: string;
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly column: SealedColumn;
}

const SHOPS = ["acme-goods.myshopify.com", "maison-lumiere.myshopify.com"] as const;
/** Of one column in one workspace. */
const VALUES_MAX = 4;

let product: TestProduct;
let database: Database;
let vault: Vault;
const connections: { readonly id: string; readonly sdk: TestWorkspace["sdk"] }[] = [];
beforeAll(async () => {
  product = await startTestProduct();
  for (const workspace of [await product.addWorkspace(), await product.addWorkspace()]) {
    for (const [index, shop] of SHOPS.entries()) {
      const connection = await connectStore(product, workspace, { tenantId: `tenant-${index}`, shop });
      connections.push({ id: connection.id, sdk: workspace.sdk });
    }
    await workspace.sdk.webhookEndpoints.create({ url: "https://hooks.example.com/in" });
  }
  database = openDatabase(product.database.connection, 4);
  vault = createVault({
    withWorkspace: database.as("patchbay_app").withWorkspace,
    keys: await openLocalKeys(join(product.env["PATCHBAY_DATA_DIR"] ?? "", "keys")),
    clock: systemClock,
  });
}, 120_000);
afterAll(async () => {
  await database.close();
  await product.close();
});

describe("a sealed value of the product", () => {
  test("V3: opens in its own row, and in no other row, column, table, version, tenant or workspace", async () => {
    const values = (await Promise.all(SEALED_COLUMNS.map(valuesOf))).flat();
    expect(new Set(values.map(({ column }) => column.table)).size).toBeGreaterThan(5);
    let swaps = 0;
    for (const value of values) {
      await expect(open(value, value), nameOf(value)).resolves.toBeInstanceOf(Uint8Array);
      if (value.column.versionColumn !== null) {
        await expect(open({ ...value, version: value.version + 1 }, value), nameOf(value)).rejects.toThrow();
      }
      for (const other of values) {
        if (other === value) continue;
        await expect(open(other, value), `${nameOf(value)} in ${nameOf(other)}`).rejects.toThrow();
        swaps++;
      }
    }
    process.stdout.write(
      `V3: ${values.length} values of ${SEALED_COLUMNS.length} columns, ${swaps} swaps, none opened\n`,
    );
  });

  test.each([
    ["of another tenant", "a.workspace_id = b.workspace_id and a.id <> b.id"],
    ["of another workspace", "a.workspace_id <> b.workspace_id and a.account_id = b.account_id"],
  ])("V3: tokens %s in a grant's row reach no provider", async (_, where) => {
    // Each grant has one counterpart: doing it twice puts everything back.
    const swap = () =>
      product.database.sql.unsafe(`update grants a set tokens = b.tokens from grants b where ${where}`);
    await swap();
    expect(await working()).toEqual(connections.map(() => false));
    await swap();
    expect(await working()).toEqual(connections.map(() => true));
  });

  test("V3: tokens of an older version of their own row reach no provider", async () => {
    await product.database.sql`update grants set row_version = row_version + 1`;
    expect(await working()).toEqual(connections.map(() => false));
    await product.database.sql`update grants set row_version = row_version - 1`;
    expect(await working()).toEqual(connections.map(() => true));
  });
});

/** Whether the provider answers to each connection's tokens. */
function working(): Promise<readonly boolean[]> {
  return Promise.all(
    connections.map(({ id, sdk }) =>
      sdk.connections.test(id).then(
        ({ ok }) => ok,
        () => false,
      ),
    ),
  );
}

async function valuesOf(column: SealedColumn): Promise<readonly SealedValue[]> {
  const version = column.versionColumn === null ? "1" : column.versionColumn;
  const rows = await product.database.sql.unsafe<
    { workspace_id: WorkspaceId; id: string; version: number; bytes: Uint8Array }[]
  >(`select * from (
      select workspace_id, ${column.id}::text as id, ${version}::int as version, ${column.column} as bytes,
             row_number() over (partition by workspace_id) as n
      from ${column.table} where ${column.column} is not null
    ) t where n <= ${VALUES_MAX}`);
  return rows.map((row) => ({
    workspaceId: row.workspace_id,
    id: row.id,
    version: row.version,
    bytes: row.bytes,
    column,
  }));
}

function open(at: SealedValue, { bytes }: SealedValue): Promise<Uint8Array> {
  return vault.open(at.workspaceId, placeIn(at.column, at), bytes);
}

function nameOf({ column, id }: SealedValue): string {
  return `${column.table}.${column.column} of ${id}`;
}
