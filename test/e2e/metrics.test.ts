import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";

let product: TestProduct;
let workspace: TestWorkspace;
let connectionId = "";

beforeAll(async () => {
  product = await startTestProduct();
  workspace = await product.addWorkspace();
  connectionId = (await connectStore(product, workspace)).id;
});
afterAll(() => product.close());

describe("/metrics", () => {
  test("is for the operator alone", async () => {
    for (const token of [null, workspace.apiKey, "wrong"]) {
      const headers = token === null ? {} : { authorization: `Bearer ${token}` };
      expect((await fetch(`${product.url}/metrics`, { headers })).status).toBe(401);
    }
  });

  test("serves what docs/operations.md names, and nothing else", async () => {
    const served = [...(await scrape()).matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    const text = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
    const documented = [...text.matchAll(/^\| `((?:pb|http)_\w+)(?:\{[^}]*\})?`/gm)].map(([, name]) => name);
    expect(new Set(documented)).toEqual(new Set(served));
  });

  test("counts, and names no tenant, connection or account", async () => {
    const text = await scrape();
    expect(text).toContain('pb_connections{status="active"} 1');
    expect(text).toContain("pb_kek_rows_pending 0");
    expect(text).toContain("pb_tenant_context_missing_total 0");
    expect(text).toMatch(/pb_kms_duration_seconds_count\{provider="local",operation="unwrap",result="ok"\} [1-9]/);
    expect(text).toMatch(/pb_dek_cache_hits_total [1-9]/);
    expect(text).toMatch(/http_server_request_duration_seconds_count\{method="PUT",route="[^"]*",status="200"\} [1-9]/);
    for (const name of ["acme", connectionId, workspace.workspace.id, product.sandbox.url]) {
      expect(text).not.toContain(name);
    }
  });
});

async function scrape(): Promise<string> {
  const headers = { authorization: `Bearer ${product.operatorToken}` };
  const response = await fetch(`${product.url}/metrics`, { headers });
  expect(response.status).toBe(200);
  return response.text();
}
