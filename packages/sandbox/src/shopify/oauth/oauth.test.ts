import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sandbox } from "../../start.ts";
import {
  adminUrl,
  authorizeUrl,
  CALLBACK,
  connect,
  decide,
  graphql,
  SHOP,
  smallSandbox,
  stoppedClock,
  tokenCall,
} from "../test-kit.ts";
import { signBody, signParameters } from "./hmac.ts";
import { allowsRedirect } from "./redirect-uris.ts";

const SHOP_NAME = "{ shop { name } }";

describe("signatures", () => {
  test("a callback is signed as Shopify's documented example", () => {
    const parameters = {
      code: "0907a61c0c8d55e99db179b68161bc00",
      shop: "some-shop.myshopify.com",
      state: "0.6784241404160823",
      timestamp: "1337178173",
    };
    expect(signParameters(parameters, "hush")).toBe("700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf");
  });

  test("a space is signed as %20, not as +", () => {
    const expected = createHmac("sha256", "hush").update("shop=a.myshopify.com&state=st%20ate%2F1%2B").digest("hex");
    expect(signParameters({ state: "st ate/1+", shop: "a.myshopify.com" }, "hush")).toBe(expected);
  });

  test("a webhook body is signed as Shopify's", () => {
    expect(signBody('{"id":820982911946154508}', "shopify-secret")).toBe(
      "5A3oQQfW+WMeNQwhapvpG0xvKI5Ip4Bp9W/9ifwwyGk=",
    );
  });
});

describe("redirect addresses", () => {
  const patterns = ["http://localhost:*", "http://*.localhost:*", "https://app.example/cb"];
  test.each([
    ["http://localhost:4400/oauth/callback/shopify?x=1", true],
    ["http://acme.localhost:9/cb", true],
    ["https://app.example/cb", true],
    ["https://app.example/cb2", false],
    ["http://localhost.evil.example:80/cb", false],
    ["https://localhost:4400/cb", false],
    ["javascript:alert(1)", false],
  ])("%s is allowed: %s", (uri, allowed) => {
    expect(allowsRedirect(patterns, uri)).toBe(allowed);
  });
});

describe("installing", () => {
  const clock = stoppedClock();
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await smallSandbox({ clock });
  });
  afterAll(() => sandbox.close());

  test("the consent page names store, app and permissions in plain words", async () => {
    const page = await (await fetch(authorizeUrl(sandbox))).text();
    for (const words of [
      "Acme Goods",
      "Sandbox app",
      "View inventory quantities",
      "View and edit orders",
      "Install app",
      "Cancel",
    ]) {
      expect(page).toContain(words);
    }
  });

  test("approval goes back with code, state and a signature over all of it", async () => {
    const callback = await decide(authorizeUrl(sandbox, { redirect_uri: `${CALLBACK}?tenant=a+b` }), "install");
    const { hmac, ...signed } = Object.fromEntries(callback.searchParams);
    expect(callback.href.startsWith(CALLBACK)).toBe(true);
    expect(signed).toMatchObject({ shop: SHOP, state: "st ate/1", timestamp: "1795341600", tenant: "a b" });
    expect(Buffer.from(signed["host"] ?? "", "base64").toString()).toBe("admin.shopify.com/store/acme-goods");
    expect(hmac).toBe(signParameters(signed, "sandbox-secret-0001"));
  });

  test("cancelling goes back with access_denied, signed, and installs nothing", async () => {
    const callback = await decide(authorizeUrl(sandbox, {}, "maison-lumiere"), "cancel");
    const { hmac, ...signed } = Object.fromEntries(callback.searchParams);
    expect(signed["error"]).toBe("access_denied");
    expect(signed["code"]).toBeUndefined();
    expect(hmac).toBe(signParameters(signed, "sandbox-secret-0001"));
  });

  test.each([
    ["an unknown client", { client_id: "nobody" }],
    ["a foreign redirect address", { redirect_uri: "https://evil.example/cb" }],
    ["a scope that is none", { scope: "read_orders,drop_tables" }],
  ])("%s is refused on the spot, without a redirect", async (_, changes) => {
    const answer = await fetch(authorizeUrl(sandbox, changes), { redirect: "manual" });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("location")).toBeNull();
  });

  test("a code works once", async () => {
    const code = (await decide(authorizeUrl(sandbox), "install")).searchParams.get("code") ?? "";
    const first = await tokenCall(sandbox, { code, expiring: "1" });
    expect(first.body).toMatchObject({
      expires_in: 3600,
      refresh_token_expires_in: 7_776_000,
      scope: "read_customers,read_inventory,read_locations,write_orders,write_products",
    });
    expect(first.body["access_token"]).toMatch(/^shpat_/);
    expect(first.body["refresh_token"]).toMatch(/^shprt_/);
    const second = await tokenCall(sandbox, { code, expiring: "1" });
    expect(second).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  test("a code of one app is worth nothing to another", async () => {
    sandbox.shopify.registerApp({ clientId: "other", clientSecret: "s2", redirectUris: [CALLBACK] });
    const code = (await decide(authorizeUrl(sandbox), "install")).searchParams.get("code") ?? "";
    expect((await tokenCall(sandbox, { code, client_id: "other", client_secret: "s2" })).status).toBe(400);
  });

  test("a wrong secret is refused", async () => {
    expect(await tokenCall(sandbox, { code: "x", client_secret: "wrong" })).toMatchObject({
      status: 400,
      body: { error: "invalid_client" },
    });
  });

  test("without expiring the token has no end and no refresh token; forms are read as well as JSON", async () => {
    const code = (await decide(authorizeUrl(sandbox), "install")).searchParams.get("code") ?? "";
    const form = new URLSearchParams({ client_id: "sandbox-app", client_secret: "sandbox-secret-0001", code });
    const answer = await fetch(adminUrl(sandbox, "oauth/access_token"), { method: "POST", body: form });
    expect(Object.keys((await answer.json()) as object)).toEqual(["access_token", "scope"]);
  });

  test("client credentials give a day's token, in stores of the app's own organization only", async () => {
    const own = await tokenCall(sandbox, { grant_type: "client_credentials" });
    expect(own.body).toMatchObject({ expires_in: 86_399 });
    sandbox.shopify.registerApp({
      clientId: "foreign",
      clientSecret: "s3",
      redirectUris: [CALLBACK],
      ownShops: ["maison-lumiere.myshopify.com"],
    });
    const foreign = await tokenCall(sandbox, {
      grant_type: "client_credentials",
      client_id: "foreign",
      client_secret: "s3",
    });
    expect(foreign).toMatchObject({ status: 400, body: { error: "shop_not_permitted" } });
  });

  test("a session token is exchanged while it is fresh and signed by the app", async () => {
    const claims = { aud: "sandbox-app", dest: `https://${SHOP}`, exp: clock.now().getTime() / 1000 + 60 };
    const exchange = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      requested_token_type: "urn:shopify:params:oauth:token-type:offline-access-token",
      expiring: "1",
    };
    expect(
      (await tokenCall(sandbox, { ...exchange, subject_token: sessionToken(claims, "sandbox-secret-0001") })).status,
    ).toBe(200);
    expect(
      (await tokenCall(sandbox, { ...exchange, subject_token: sessionToken(claims, "other") })).body["error"],
    ).toBe("invalid_subject_token");
    const stale = sessionToken({ ...claims, exp: claims.exp - 120 }, "sandbox-secret-0001");
    expect((await tokenCall(sandbox, { ...exchange, subject_token: stale })).status).toBe(400);
  });
});

describe("token rotation", () => {
  const clock = stoppedClock();
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await smallSandbox({ clock });
  });
  afterAll(() => sandbox.close());

  const newPair = async () => {
    const code = (await decide(authorizeUrl(sandbox), "install")).searchParams.get("code") ?? "";
    return (await tokenCall(sandbox, { code, expiring: "1" })).body;
  };
  const refresh = (token: string | undefined) =>
    tokenCall(sandbox, { grant_type: "refresh_token", refresh_token: token ?? "" });
  const works = async (token: string | undefined) => (await graphql(sandbox, token ?? "", SHOP_NAME)).status === 200;

  test("an access token dies after an hour; a refresh gives a whole new pair", async () => {
    const old = await newPair();
    clock.advance(3599);
    expect(await works(old["access_token"])).toBe(true);
    clock.advance(1);
    expect(await works(old["access_token"])).toBe(false);
    const { body } = await refresh(old["refresh_token"]);
    expect(body["refresh_token"]).not.toBe(old["refresh_token"]);
    expect(await works(body["access_token"])).toBe(true);
  });

  test("the previous access token lives to its own end", async () => {
    const old = await newPair();
    clock.advance(600);
    await refresh(old["refresh_token"]);
    expect(await works(old["access_token"])).toBe(true);
  });

  test("a lost answer can be asked for again with the same refresh token, until the new one is used", async () => {
    const old = await newPair();
    await refresh(old["refresh_token"]);
    const again = await refresh(old["refresh_token"]);
    expect(again.status).toBe(200);
    await refresh(again.body["refresh_token"]);
    expect(await refresh(old["refresh_token"])).toMatchObject({
      status: 401,
      body: { error_description: "This request requires an active refresh_token" },
    });
  });

  test("the previous refresh token ends 30 days after its first use, any after 90 days", async () => {
    const used = await newPair();
    await refresh(used["refresh_token"]);
    clock.advance(31 * 86_400);
    expect((await refresh(used["refresh_token"])).status).toBe(401);
    const idle = await newPair();
    clock.advance(90 * 86_400);
    expect((await refresh(idle["refresh_token"])).status).toBe(401);
  });

  test("a new grant ends every earlier refresh token", async () => {
    const old = await newPair();
    await newPair();
    expect((await refresh(old["refresh_token"])).status).toBe(401);
  });

  test("uninstalling kills both tokens with Shopify's words", async () => {
    const pair = await newPair();
    sandbox.shopify.act(SHOP, "uninstall");
    const answer = await graphql(sandbox, pair["access_token"] ?? "", SHOP_NAME);
    expect(answer).toMatchObject({
      status: 401,
      body: { errors: "[API] Invalid API key or access token (unrecognized login or wrong password)" },
    });
    expect((await refresh(pair["refresh_token"])).status).toBe(401);
  });

  test("a never-ending token is exchanged for a pair once, and is dead then", async () => {
    const code = (await decide(authorizeUrl(sandbox), "install")).searchParams.get("code") ?? "";
    const forever = (await tokenCall(sandbox, { code })).body["access_token"] ?? "";
    const type = "urn:shopify:params:oauth:token-type:offline-access-token";
    const exchange = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: forever,
      subject_token_type: type,
      requested_token_type: type,
      expiring: "1",
    };
    const migrated = await tokenCall(sandbox, exchange);
    expect(migrated.body["refresh_token"]).toMatch(/^shprt_/);
    expect(await works(forever)).toBe(false);
    expect((await tokenCall(sandbox, exchange)).status).toBe(400);
  });
});

test("an unknown store is not found, under any of its addresses", async () => {
  const sandbox = await smallSandbox();
  const byPrefix = await fetch(`${sandbox.url}/_shops/nobody.myshopify.com/admin/oauth/authorize`);
  expect(byPrefix.status).toBe(404);
  expect(await connect(sandbox, "acme-goods")).toMatch(/^shpat_/);
  await sandbox.close();
});

function sessionToken(claims: object, secret: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const unsigned = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${unsigned}.${createHmac("sha256", secret).update(unsigned).digest("base64url")}`;
}
