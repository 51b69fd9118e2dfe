/** What does not pass through a route's own answer: logs, metrics, counts, errors, caches, jobs, exports. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { jsonOf, send, withKey } from "./http.ts";
import { everythingListed } from "./world.ts";

/** Stands in everything that B names. */
const CANARY = "kanarienvogel";

let product: TestProduct;
let a: TestWorkspace;
let b: TestWorkspace;
let uuids: Readonly<Record<"a" | "b", string>>;
const logs: string[] = [];
beforeAll(async () => {
  const log = createLogger("trace", { write: (line) => logs.push(line) });
  product = await startTestProduct({ log });
  a = await product.addWorkspace({ name: "Host A" });
  b = await product.addWorkspace({ name: `Host ${CANARY}`, returnUrls: [`https://${CANARY}.example/return`] });
  await connectStore(product, a, { tenantId: "acme" });
  await connectStore(product, b, { tenantId: `${CANARY}-tenant`, shop: "maison-lumiere.myshopify.com" });
  await b.sdk.tenants.upsert({ id: `${CANARY}-named`, name: CANARY, metadata: { [CANARY]: CANARY } });
  await b.sdk.webhookEndpoints.create({ url: `https://${CANARY}.example/hook`, description: CANARY });
  const rows = await product.database.sql<{ id: string; name: string }[]>`select id, name from workspaces`;
  const uuidOf = (name: string) => rows.find((row) => row.name === name)?.id ?? "";
  uuids = { a: uuidOf("Host A"), b: uuidOf(`Host ${CANARY}`) };
}, 120_000);
afterAll(() => product.close());

const ask = (workspace: TestWorkspace, method: string, path: string, body?: unknown) =>
  send(product, { method, path, headers: withKey(workspace.apiKey), ...(body === undefined ? {} : { body }) });

describe("another workspace's canary", () => {
  test("T7: is in no log line at all, and its ids are in none of the other's", () => {
    expect(logs.length).toBeGreaterThan(50);
    expect(logs.filter((line) => line.includes(CANARY))).toEqual([]);
    const ofA = logs.filter((line) => line.includes(uuids.a));
    expect(ofA.length).toBeGreaterThan(5);
    expect(ofA.filter((line) => line.includes(uuids.b))).toEqual([]);
  });

  test("T7: is no label of a metric, nor is any workspace, tenant or URL", async () => {
    const { status, text } = await send(product, {
      method: "GET",
      path: "/metrics",
      headers: withKey(product.operatorToken),
    });
    expect([200, 404]).toContain(status);
    for (const word of [CANARY, uuids.a, uuids.b, a.workspace.id, b.workspace.id, "acme", "myshopify", "http://"]) {
      expect(text).not.toContain(word);
    }
  });

  test("T7: is in no list or export, and changes no count", async () => {
    const before = await everythingListed(product, a.apiKey, ["acme"]);
    for (let n = 0; n < 5; n++) await b.sdk.tenants.upsert({ id: `${CANARY}-${n}` });
    const after = await everythingListed(product, a.apiKey, ["acme"]);
    expect(after).toBe(before);
    const exports = ["/v1/tenants/acme/records/order/export", "/v1/audit", "/v1/erasures"];
    for (const path of exports) {
      const { text } = await ask(a, "GET", path);
      expect(text, path).not.toContain(CANARY);
      expect(text, path).not.toContain(uuids.b);
    }
  });

  test("T7: is in no error, and a name that it has taken is free", async () => {
    const taken = [
      await ask(a, "PUT", `/v1/tenants/${CANARY}-named`, {}),
      await ask(a, "POST", "/v1/webhook-endpoints", { url: `https://${CANARY}.example/hook` }),
    ];
    expect(taken.map(({ status }) => status)).toEqual([200, 201]);
    expect(jsonOf(taken[0] ?? { status: 0, headers: new Headers(), text: "{}" })["name"]).toBeNull();
    const refused = [
      await ask(a, "GET", `/v1/tenants/${CANARY}-tenant`),
      await ask(a, "POST", "/v1/connect-sessions", {
        tenantId: "acme",
        endUser: { id: "u" },
        allowedOrigins: ["https://a.example"],
        returnUrl: `https://${CANARY}.example/return`,
      }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([404, 400]);
    const asked = new Set([`${CANARY}-tenant`]);
    for (const { text } of refused) {
      const told = [...asked].reduce((rest, own) => rest.replaceAll(own, ""), text);
      expect(told).not.toContain(CANARY);
    }
  });

  test("T7: comes out of no cache, however two workspaces ask for the same names in turn", async () => {
    const name = "same-name";
    await a.sdk.tenants.upsert({ id: name, name: "of A" });
    await b.sdk.tenants.upsert({ id: name, name: "of B" });
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const own = n % 2 === 0;
        const path = n % 4 < 2 ? `/v1/tenants/${name}` : "/v1/providers";
        const { text } = await ask(own ? a : b, "GET", path);
        return { own, text };
      }),
    );
    for (const { own, text } of answers) expect(text).not.toContain(own ? "of B" : "of A");
  });

  test("T7: is in no job and no queue: they hold ids, times and words of our own", async () => {
    const { sql } = product.database;
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema in ('queue', 'pgboss') and table_type = 'BASE TABLE'`;
    expect(tables.length).toBeGreaterThan(8);
    for (const { name } of tables) {
      const rows = await sql.unsafe<{ row: string }[]>(`select t::text as row from ${name} t`);
      expect(rows.filter(({ row }) => row.includes(CANARY)).length, name).toBe(0);
    }
    const columns = await sql<{ column: string; type: string }[]>`
      select table_name || '.' || column_name as column, data_type as type from information_schema.columns
      where table_schema = 'queue' and data_type not in
        ('uuid', 'timestamp with time zone', 'smallint', 'integer', 'bigint', 'double precision', 'boolean')`;
    for (const { column, type } of columns) {
      expect(type, column).toBe("text");
      const [table = "", field = ""] = column.split(".");
      const values = await sql.unsafe<{ value: string }[]>(`select distinct "${field}" as value from queue."${table}"`);
      for (const { value } of values) expect(value, column).toMatch(/^(?:[a-z_]{1,30}|[a-z_]{1,30}:[0-9a-f-]{0,36})$/);
    }
  });
});
