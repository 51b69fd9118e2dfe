/** Where a browser is sent: to the registered addresses, whatever a request says. */
import { Problem } from "@patchbay/shared";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { ORIGIN, jsonOf, send, withKey } from "./http.ts";
import { mintSession, startAuthorization } from "./world.ts";

const RETURN_URL = "https://app.acme.example/settings";

let product: TestProduct;
let workspace: TestWorkspace;
beforeAll(async () => {
  product = await startTestProduct({ roles: { api: true, worker: false } });
  workspace = await product.addWorkspace({ returnUrls: [RETURN_URL] });
  await workspace.sdk.tenants.upsert({ id: "acme" });
}, 60_000);
afterAll(() => product.close());

describe("a request that lies about its host", () => {
  const lies: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ["Host", { host: "evil.example" }],
    ["Host with our name in it", { host: "localhost.evil.example" }],
    ["Host with a port", { host: "evil.example:443" }],
    ["Host with a user", { host: "localhost@evil.example" }],
    ["X-Forwarded-Host", { "x-forwarded-host": "evil.example" }],
    [
      "X-Forwarded-Host, X-Forwarded-Proto and X-Forwarded-Port",
      { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "x-forwarded-port": "443" },
    ],
    ["Forwarded", { forwarded: "host=evil.example;proto=https" }],
    ["X-Host", { "x-host": "evil.example" }],
    ["X-Original-Host", { "x-original-host": "evil.example", "x-rewrite-url": "https://evil.example/" }],
    ["X-Forwarded-Prefix", { "x-forwarded-prefix": "//evil.example" }],
  ];
  test.each(lies)("O5: %s: start link, redirect_uri and confirm page stay ours", async (_, headers) => {
    const token = await mintSession(workspace, "acme", "person");
    const { startUrl } = await startAuthorization(product, token);
    expect(new URL(startUrl).origin).toBe(product.url);
    const answer = await get(new URL(startUrl).pathname, headers);
    // A host that is no host is refused by the server itself.
    if (answer.status === 400) return;
    expect(answer.status).toBe(303);
    const consent = new URL(answer.headers["location"] ?? "");
    expect(consent.searchParams.get("redirect_uri")).toBe(`${product.url}/oauth/callback/shopify`);
    expect(JSON.stringify(answer.headers) + answer.text).not.toContain("evil.example");
    const back = await get(`/oauth/callback/shopify?state=${consent.searchParams.get("state") ?? ""}`, headers);
    expect(JSON.stringify(back.headers) + back.text).not.toContain("evil.example");
    const openapi = await get("/openapi.json", headers);
    expect(openapi.text).not.toContain("evil.example");
  });
});

/** What makes one parser see the registered page, and another one elsewhere. */
const TRICKS: readonly string[] = [
  "https://evil.example/settings",
  "//evil.example",
  "///evil.example/settings",
  "/\\evil.example",
  "\\\\evil.example",
  "https:evil.example",
  "https:/evil.example",
  "https:///evil.example",
  "https://app.acme.example.evil.example/settings",
  "https://evil.example/app.acme.example/settings",
  "https://app.acme.example@evil.example/settings",
  "https://app.acme.example:443@evil.example/settings",
  "https://app.acme.example%40evil.example/settings",
  "https://user@app.acme.example/settings",
  "https://evil.example#@app.acme.example/settings",
  "https://evil.example?@app.acme.example/settings",
  "https://evil.example\\@app.acme.example/settings",
  "https://app.acme.example\\.evil.example/settings",
  "https://app.acme.example%2eevil.example/settings",
  "https://app.acme.example%2f@evil.example/settings",
  "https://evil.example%2f@app.acme.example/settings",
  "https://app。acme。example/settings",
  "https://app.acme.example。evil.example/settings",
  "https://ａpp.acme.example/settings",
  "https://app.acme.example./settings",
  "https://app.acme.example:8443/settings",
  "https://app.acme.example:443/settings",
  "http://app.acme.example/settings",
  "HTTPS://APP.ACME.EXAMPLE/settings",
  "https://app.acme.example/settings/",
  "https://app.acme.example/settings?next=https://evil.example",
  "https://app.acme.example/settings#evil",
  "https://app.acme.example/settings/../evil",
  "https://app.acme.example/./settings",
  "https://app.acme.example/%73ettings",
  "https://app.acme.example/settings%00",
  "https://app.acme.example/settings\t",
  "ht\ntps://app.acme.example/settings",
  " https://app.acme.example/settings",
  "javascript:alert(1)//https://app.acme.example/settings",
  "data:text/html,https://app.acme.example/settings",
  "blob:https://app.acme.example/settings",
  "view-source:https://app.acme.example/settings",
];

describe("a return URL", () => {
  const mint = (returnUrl: string) =>
    send(product, {
      method: "POST",
      path: "/v1/connect-sessions",
      headers: withKey(workspace.apiKey),
      body: { tenantId: "acme", endUser: { id: "person" }, allowedOrigins: [ORIGIN], returnUrl },
    });

  test("O6: is taken letter for letter", async () => {
    expect((await mint(RETURN_URL)).status).toBe(201);
  });

  test.each(TRICKS)("O6: %j is refused", async (trick) => {
    const answer = await mint(trick);
    expect(answer.status).toBe(400);
    expect(Problem.parse(jsonOf(answer)).code).toBe("invalid_request");
  });

  test("O6: that the callback names is not read", async () => {
    const token = await mintSession(workspace, "acme", "person");
    const { startUrl } = await startAuthorization(product, token);
    const start = await fetch(startUrl, { redirect: "manual" });
    const cookie = (start.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const state = new URL(start.headers.get("location") ?? "").searchParams.get("state") ?? "";
    for (const name of ["return_url", "returnUrl", "redirect", "redirect_uri", "next", "url"]) {
      const query = new URLSearchParams({ state, error: "access_denied", [name]: "https://evil.example/" });
      const answer = await fetch(`${product.url}/oauth/callback/shopify?${query.toString()}`, {
        redirect: "manual",
        headers: { cookie },
      });
      expect(answer.headers.get("location")).toBeNull();
      expect(await answer.text()).not.toContain("evil.example");
    }
  });

  test.each(["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http:/\\evil"])(
    "O6: no workspace can register %j",
    async (returnUrl) => {
      const answer = await send(product, {
        method: "POST",
        path: "/admin/v1/workspaces",
        headers: withKey(product.operatorToken),
        body: { name: "Trick", mode: "test", returnUrls: [returnUrl] },
      });
      expect(answer.status, answer.text).toBe(400);
    },
  );
});

/** `fetch` sets Host itself; this does not. */
function get(path: string, headers: Readonly<Record<string, string>>) {
  return new Promise<{ status: number; headers: Record<string, string | undefined>; text: string }>(
    (resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: product.patchbay.port, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string | undefined>,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      sent.on("error", reject);
      sent.end();
    },
  );
}
