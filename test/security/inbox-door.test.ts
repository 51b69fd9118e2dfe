/** `POST /in/{provider}/{source}` against whoever is not the provider, and `/console` against whoever is no operator. */
import { Problem, encodeUuid } from "@patchbay/shared";
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct } from "../harness/product.ts";

let product: TestProduct;
let source: string;
beforeAll(async () => {
  product = await startTestProduct();
  await connectStore(product, await product.addWorkspace());
  const [row] = await product.database.sql<{ id: string; workspace_id: string }[]>`
    select id, workspace_id from sources order by id limit 1`;
  source = `src_${encodeUuid(row?.id ?? "")}_${encodeUuid(row?.workspace_id ?? "")}`;
}, 120_000);
afterAll(() => product.close());

const SECRET = "sandbox-secret-0001";
const MIB = 1024 * 1024;

interface Delivery {
  readonly path?: string;
  readonly body?: string | Buffer;
  readonly signature?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

async function deliver({ path, body = '{"id":1}', signature, headers }: Delivery = {}): Promise<Response> {
  const signed = signature === undefined ? sign(body) : signature;
  return fetch(product.url + (path ?? `/in/shopify/${source}`), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-shopify-topic": "orders/updated",
      "x-shopify-shop-domain": "acme-goods.myshopify.com",
      ...(signed === null ? {} : { "x-shopify-hmac-sha256": signed }),
      ...headers,
    },
    body: Buffer.from(body),
  });
}

describe("the inbox door", () => {
  const body = '{"id":1}';
  const refusals: readonly (readonly [string, () => Delivery, number, string])[] = [
    ["no signature", () => ({ signature: null }), 401, "invalid_signature"],
    ["an empty signature", () => ({ signature: "" }), 401, "invalid_signature"],
    ["another secret's signature", () => ({ signature: sign(body, "other") }), 401, "invalid_signature"],
    ["another body's signature", () => ({ signature: sign('{"id":2}') }), 401, "invalid_signature"],
    ["half a signature", () => ({ signature: sign(body).slice(0, 20) }), 401, "invalid_signature"],
    ["a signature in hex", () => ({ signature: hex(body) }), 401, "invalid_signature"],
    ["a signature and more", () => ({ signature: `${sign(body)}, ${sign(body)}` }), 401, "invalid_signature"],
    ["an unknown source", () => ({ path: `/in/shopify/src_${"0".repeat(26)}_${"0".repeat(26)}` }), 404, "not_found"],
    ["a source that is none", () => ({ path: "/in/shopify/nothing" }), 404, "not_found"],
    ["another provider's name", () => ({ path: `/in/stripe/${source}` }), 404, "not_found"],
    ["no provider's name", () => ({ path: `/in/__proto__/${source}` }), 404, "not_found"],
    ["more than 5 MiB", () => ({ body: Buffer.alloc(5 * MIB + 1, 0x20) }), 413, "payload_too_large"],
  ];
  test.each(refusals)("refuses %s and keeps nothing", async (_, delivery, status, code) => {
    const before = await kept();
    const response = await deliver(delivery());
    expect(response.status).toBe(status);
    expect(Problem.parse(await response.json()).code).toBe(code);
    expect(await kept()).toBe(before);
  });

  test("refuses more than 5 MiB that come without a length", async () => {
    const body = new Blob([Buffer.alloc(6 * MIB, 0x20)]).stream();
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    expect((await fetch(`${product.url}/in/shopify/${source}`, init)).status).toBe(413);
  });

  test.each(["not json", "[]", "null", "", "\u0000", `{"a":${"[".repeat(100_000)}`, '{"id":1e400}'])(
    "keeps what is signed, whatever it says: %j",
    async (text) => {
      const before = await kept();
      expect((await deliver({ body: text })).status).toBe(200);
      expect(await kept()).toBe(before + 1);
    },
  );
});

describe("the console", () => {
  const page = (cookie: string) => fetch(`${product.url}/console`, { headers: { cookie }, redirect: "manual" });

  test("opens to the operator token, and the cookie is kept from scripts and other sites", async () => {
    const cookie = await signIn();
    expect(cookie).toMatch(/; HttpOnly/i);
    expect(cookie).toMatch(/; SameSite=Strict/i);
    expect(cookie).toMatch(/; Path=\/console/i);
    const text = await (await page(cookie.split(";")[0] ?? "")).text();
    expect(text).toContain("Test host");
    expect(text).not.toContain(product.operatorToken);
  });

  test("opens to no cookie that was changed, ended or made for something else", async () => {
    const [name = "", value = ""] = ((await signIn()).split(";")[0] ?? "").split("=");
    const [expiry = "", mac = ""] = value.split(".");
    const ticket = new URL(product.patchbay.consoleLink()).searchParams.get("ticket") ?? "";
    for (const tampered of [
      `${Number(expiry) + 1}.${mac}`,
      `${expiry}.${mac.slice(0, -1)}${mac.endsWith("A") ? "B" : "A"}`,
      `${expiry}.`,
      `Infinity.${mac}`,
      `1.${createHmac("sha256", product.operatorToken).update("console session 1").digest("base64url")}`,
      mac,
      ticket,
      product.operatorToken,
      "",
    ]) {
      const text = await (await page(`${name}=${tampered}`)).text();
      expect(text, tampered).toContain("Sign in");
      expect(text, tampered).not.toContain("Test host");
    }
  });

  test("takes a ticket for a ticket only", async () => {
    const session = ((await signIn()).split(";")[0] ?? "").split("=")[1] ?? "";
    const response = await fetch(`${product.url}/console?ticket=${session}`, { redirect: "manual" });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([200, null]);
  });

  async function signIn(): Promise<string> {
    const body = new URLSearchParams({ token: product.operatorToken });
    const response = await fetch(`${product.url}/console/sign-in`, { method: "POST", body, redirect: "manual" });
    expect(response.status).toBe(303);
    return response.headers.get("set-cookie") ?? "";
  }
});

async function kept(): Promise<number> {
  const [row] = await product.database.sql<{ count: string }[]>`select count(*) from inbox`;
  return Number(row?.count);
}

function sign(body: string | Buffer, secret = SECRET): string {
  return createHmac("sha256", secret).update(body).digest("base64");
}

function hex(body: string): string {
  return createHmac("sha256", SECRET).update(body).digest("hex");
}
