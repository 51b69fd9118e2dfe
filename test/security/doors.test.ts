/** The doors without a row in the route table: each is tried with another workspace's things. */
import { encodeUuid } from "@patchbay/shared";
import { createHmac, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ORIGIN, send, withKey, withSession, type Answer, type Call } from "./http.ts";
import { comparable, edgeIdsIn, unknownTwin } from "./ids.ts";
import { doorsInSources } from "./routes.ts";
import { snapshot, type Snapshot } from "./snapshot.ts";
import { createWorld, startAuthorization, type Side, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 120_000);
afterAll(() => world[Symbol.asyncDispose]());

const nobody = { headers: {} };
const files = [
  "/favicon.ico",
  "/docs",
  "/docs/before.js",
  "/docs/start.js",
  "/docs/reference.js",
  "/openapi.json",
  "/livez",
  "/readyz",
];

/** Door → what it must not give away. A door that the sources have and that is missing here fails. */
const DOORS: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries(files.map((path) => [`GET ${path}`, () => knowsNobody(path)])),
  "GET /embed/v1.*": async () => {
    for (const path of ["/embed/v1.js", "/embed/v1.mjs"]) await knowsNobody(path);
  },
  "GET /metrics": async () => {
    const { a, b, product } = world;
    for (const headers of [{}, withKey(a.apiKey), withSession(a.first.sessionToken)]) {
      expect((await ask({ method: "GET", path: "/metrics", headers })).status).toBe(401);
    }
    const told = await ask({ method: "GET", path: "/metrics", headers: withKey(product.operatorToken) });
    expect(told.status).toBe(200);
    expectNothingOf(b, told);
  },
  "POST /connect/v1/session": async () => {
    const { a, b } = world;
    const hint = (token: string) => token.slice(9, 35);
    const forged = a.first.sessionToken.replace(hint(a.first.sessionToken), hint(b.first.sessionToken));
    const made = a.first.sessionToken.replace(hint(a.first.sessionToken), encodeUuid(randomUUID()));
    const bootstrap = (token: string) => ({
      method: "POST",
      path: "/connect/v1/session",
      headers: { origin: ORIGIN },
      body: { token },
    });
    await expectSame(bootstrap(forged), bootstrap(made), 401);
  },
  "POST /in/:provider/:source": async () => {
    const { a, b } = world;
    const [mine, theirs] = [await sourceOf(a), await sourceOf(b)];
    const signed = (source: string) => delivery(source, "secret-of-app-a");
    const path = (source: string, workspace: string) => `src_${encodeUuid(source)}_${encodeUuid(workspace)}`;
    const unknown = signed(path(unknownTwin(theirs), b.uuid));
    await expectSame(signed(path(theirs, a.uuid)), unknown, 404);
    await expectSame(signed(path(mine, b.uuid)), unknown, 404);
    // Whoever knows an address may learn that it is one: providers have to. It is 122 random bits.
    const before = await rowsOf(b);
    const answer = await ask(signed(path(theirs, b.uuid)));
    expect(answer.status).toBe(401);
    expect(await rowsOf(b)).toEqual(before);
    expect((await ask(signed(path(mine, a.uuid)))).status).toBe(200);
  },
  "GET /oauth/start/:ticket": async () => {
    const { product, b } = world;
    const theirs = (await startAuthorization(product, b.first.sessionToken)).startUrl.split("/").at(-1) ?? "";
    const start = (hints: string) => ({ method: "GET", path: `/oauth/start/${hints}${"A".repeat(43)}`, ...nobody });
    await expectSame(start(theirs.slice(0, 52)), start(unknownTwin(theirs.slice(0, 26)) + theirs.slice(26, 52)), 404);
    await expectSame(start(theirs.slice(0, 52)), start(theirs.slice(0, 26) + unknownTwin(theirs.slice(26, 52))), 404);
  },
  "GET /oauth/callback/:provider": async () => {
    const { a, b, product } = world;
    const [mine, theirs] = [await atProvider(a), await atProvider(b)];
    const back = (state: string, cookie = "") => ({
      method: "GET",
      path: `/oauth/callback/shopify?${new URLSearchParams({ state, code: "c", shop: "acme-goods.myshopify.com" }).toString()}`,
      headers: { cookie },
    });
    const guess = (hints: string) => hints.slice(0, 52) + "A".repeat(43);
    const unknown = unknownTwin(theirs.state.slice(0, 26)) + theirs.state.slice(26);
    await expectSame(back(guess(theirs.state)), back(guess(unknown)), 404);
    // Even who saw their state has not their browser.
    const before = await rowsOf(b);
    const answer = await send(product, back(theirs.state, mine.cookie));
    expect(answer.status).toBe(400);
    expectNothingOf(b, answer);
    expect(await rowsOf(b)).toEqual(before);
  },
  "GET /oauth/jwks/:reference": async () => {
    const { a, b } = world;
    const made = await signingKey(a);
    const mine = new URL(made.jwksUri).pathname;
    const published = await ask({ method: "GET", path: mine });
    expect(published.text).toContain(made.keyId);
    expect(published.text).not.toContain('"d"');
    const reference = mine.split("/").at(-1) ?? "";
    const { jwksUri } = await signingKey(b);
    const mixed = (new URL(jwksUri).pathname.split("/").at(-1) ?? "").slice(0, 26) + reference.slice(26);
    for (const path of [`/oauth/jwks/${mixed}`, "/oauth/jwks/nothing"]) {
      const answer = await ask({ method: "GET", path });
      expect(answer.status).toBe(404);
      expectNothingOf(b, answer);
    }
  },
  "GET /oauth/confirm/:reference": () => refusesConfirmation("GET"),
  "POST /oauth/confirm/:reference": () => refusesConfirmation("POST"),
  "GET /console": async () => {
    const { a, b, product } = world;
    const plain = await ask({ method: "GET", path: "/console" });
    for (const headers of [
      withKey(a.apiKey),
      withKey(product.operatorToken),
      { cookie: `patchbay_console=${a.apiKey}` },
    ]) {
      const answer = await ask({ method: "GET", path: `/console?workspace=${b.workspace.id}`, headers });
      expect(textOf(answer)).toBe(textOf(plain));
    }
  },
  "POST /console/sign-in": async () => {
    const { a, product } = world;
    for (const token of ["", a.apiKey, product.operatorToken.slice(0, -1), `${product.operatorToken} `]) {
      const response = await fetch(`${product.url}/console/sign-in`, {
        method: "POST",
        redirect: "manual",
        body: new URLSearchParams({ token }),
      });
      expect([response.status, response.headers.get("set-cookie")]).toEqual([401, null]);
    }
  },
};

describe("doors without a row", () => {
  test("T1: are all known here", async () => {
    const found = (await doorsInSources()).map((door) => door.replace("GET docs.ts: path", "GET /embed/v1.*"));
    expect(found.toSorted()).toEqual(Object.keys(DOORS).toSorted());
  });

  test.each(Object.entries(DOORS))("T1: %s tells nobody of another workspace", async (_, attempt) => attempt());
});

async function signingKey(side: Side): Promise<{ readonly keyId: string; readonly jwksUri: string }> {
  const path = "/v1/providers/shopify/app/signing-keys";
  const answer = await ask({ method: "POST", path, headers: withKey(side.apiKey), body: { algorithm: "ES256" } });
  return JSON.parse(answer.text) as { keyId: string; jwksUri: string };
}

/** What is there for everybody is the same for everybody. */
async function knowsNobody(path: string): Promise<void> {
  const { a, b } = world;
  const plain = await ask({ method: "GET", path });
  const known = await ask({ method: "GET", path: `${path}?workspace=${b.workspace.id}`, headers: withKey(a.apiKey) });
  expect([200, 204]).toContain(plain.status);
  expect([known.status, known.text]).toEqual([plain.status, plain.text]);
  expectNothingOf(b, plain);
}

async function refusesConfirmation(method: "GET" | "POST"): Promise<void> {
  const { a, b } = world;
  const [mine, theirs] = [await atProvider(a), await atProvider(b)];
  const before = await rowsOf(b);
  for (const cookie of ["", mine.cookie, theirs.cookie.replace(/=.*/, `=${mine.cookie.split("=")[1] ?? ""}`)]) {
    const form = { method, headers: { cookie, "content-type": "application/x-www-form-urlencoded" } };
    const path = `/oauth/confirm/${theirs.state.slice(0, 52)}`;
    const body = method === "POST" ? { body: "answer=connect&csrf=guess" } : {};
    const response = await fetch(world.product.url + path, { ...form, ...body });
    expect([400, 404, 410]).toContain(response.status);
    expectNothingOf(b, { status: response.status, headers: response.headers, text: await response.text() });
  }
  expect(await rowsOf(b)).toEqual(before);
}

async function expectSame(theirs: Call, nobodys: Call, status: number): Promise<void> {
  const { b } = world;
  const before = await rowsOf(b);
  const [one, other] = [await ask(theirs), await ask(nobodys)];
  expect(one.status).toBe(status);
  const said = (answer: Answer) => [textOf(answer), [...answer.headers.keys()].toSorted()];
  expect(said(one)).toEqual(said(other));
  expect(other.status).toBe(status);
  expect(await rowsOf(b)).toEqual(before);
}

/** Ids of the examples in the API's description, which are nobody's. */
const EXAMPLES = /_01kahk3vq8f3d8w1xk9pm3s5zr$/;

function expectNothingOf(side: Side, answer: Answer): void {
  const words = [side.workspace.name, side.workspace.id, side.clientId, side.first.id, side.first.endUserId];
  for (const word of words) expect(answer.text).not.toContain(word);
  expect([...edgeIdsIn(answer.text)].filter((id) => !EXAMPLES.test(id))).toEqual([]);
}

/** An authorization whose browser has been sent to the provider. */
async function atProvider(side: Side): Promise<{ readonly state: string; readonly cookie: string }> {
  const { startUrl } = await startAuthorization(world.product, side.first.sessionToken);
  const response = await fetch(startUrl, { redirect: "manual" });
  const state = new URL(response.headers.get("location") ?? "").searchParams.get("state") ?? "";
  return { state, cookie: (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
}

async function sourceOf(side: Side): Promise<string> {
  const [row] = await world.product.database.sql<{ id: string }[]>`
    select id from sources where workspace_id = ${side.uuid} order by id limit 1`;
  return row?.id ?? "";
}

function delivery(source: string, secret: string): Call {
  const body = { id: 1 };
  const signature = createHmac("sha256", secret).update(JSON.stringify(body)).digest("base64");
  const headers = { "x-shopify-hmac-sha256": signature, "x-shopify-topic": "products/update" };
  return { method: "POST", path: `/in/shopify/${source}`, headers, body };
}

function textOf(answer: Answer): string {
  return comparable(answer.text, "no id is echoed", { newIds: false });
}

function ask(call: Call): Promise<Answer> {
  return send(world.product, call);
}

function rowsOf(side: Side): Promise<Snapshot> {
  return snapshot(world.product.database.sql, { workspaceUuid: side.uuid });
}
