/** Hostile values in every parameter and field of every route: a clear refusal, never a failure of ours. */
import { Problem } from "@patchbay/shared";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { FIXTURES } from "./fixtures.ts";
import { jsonOf, send, withKey, withSession, type Answer } from "./http.ts";
import { operationsOf, readOpenApi, type Operation } from "./routes.ts";
import { createWorld, everythingListed, type World } from "./world.ts";

let world: World;
let operations: readonly Operation[];
let asked = 0;
const failures: string[] = [];
beforeAll(async () => {
  world = await createWorld();
  operations = operationsOf(await readOpenApi(world.product));
}, 120_000);
afterAll(() => world[Symbol.asyncDispose]());

const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64url");
const UUID_MAX = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const TEXTS: readonly string[] = [
  "",
  " ",
  "null",
  "undefined",
  "NaN",
  "-1",
  "0",
  "1e309",
  "9223372036854775808",
  "9999999999999999999",
  "99999999999999999999999",
  "true",
  "0000-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "2026-02-30T00:00:00Z",
  "' or 1=1 --",
  '"; select pg_sleep(9); --',
  "${7*7}{{7*7}}",
  "<script>alert(1)</script>",
  "../../etc/passwd",
  "\u0000",
  "\ud800",
  "\u202e\ufeff\u{1f600}",
  "%",
  "\r\nx: y",
  "a".repeat(600),
  "a".repeat(5_000),
  "__proto__",
  "constructor",
  "conn_7zzzzzzzzzzzzzzzzzzzzzzzzz",
  "run_00000000000000000000000000",
  "inb_7zzzzzzzzzzzzzzzzzzzzzzzzz",
  "evt_00000000000000000000000000",
  "shopify:",
  ":1",
  "shopify:' or 1=1",
  base64("[]"),
  base64("{}"),
  base64('["9999999999999999999","' + UUID_MAX + '"]'),
  base64('["1","x"]'),
  base64('["' + "7".repeat(26) + '",1,1e300]'),
  base64('["' + "7".repeat(26) + '","' + "7".repeat(26) + '"]'),
  base64(Buffer.from([0, 1, 2, 0xff, 0xfe])),
];
const VALUES: readonly unknown[] = [
  ...TEXTS.filter((text) => text.isWellFormed()),
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  [],
  {},
  [[]],
  [null],
  { $ne: null },
  { toString: 1 },
  Array.from({ length: 5_000 }, () => "x"),
];

afterEach(() => {
  expect(failures.splice(0)).toEqual([]);
});

describe("hostile values", () => {
  test("in the query are taken or refused", async () => {
    for (const operation of operations) {
      const path = ownPath(operation);
      const names = operation.parameters.filter((each) => each.in === "query").map((each) => each.name);
      const queries = names.flatMap((name) => [
        ...TEXTS.map((text) => `?${name}=${quoted(text)}`),
        `?${name}=1&${name}=2`,
        `?${name}[]=1&${name}[$ne]=2`,
      ]);
      await askAll([...queries, "?unknown=1", "?__proto__=1", "?constructor[prototype]=1"], (query) => ({
        operation,
        path: path + query,
      }));
    }
  });

  test("in the path are taken or refused", async () => {
    for (const operation of operations.filter(({ path }) => path.includes("{"))) {
      await askAll(TEXTS, (text) => ({ operation, path: operation.path.replaceAll(/\{\w+\}/g, () => quoted(text)) }));
    }
  });

  test("in the body are taken or refused", async () => {
    for (const operation of operations.filter(({ bodyFields }) => bodyFields.length > 0)) {
      const path = ownPath(operation);
      const sound = bodyOf(operation);
      await askAll(VALUES, (body) => ({ operation, path, body }));
      for (const field of [...operation.bodyFields, "unknown"]) {
        await askAll(VALUES, (value) => ({ operation, path, body: { ...sound, [field]: value } }));
      }
    }
  });

  test("leave another workspace's data as readable as before", async () => {
    expect(asked).toBeGreaterThan(4_000);
    const { b, product } = world;
    expect((await everythingListed(product, b.apiKey, [b.first.id])).length).toBeGreaterThan(10_000);
  });
});

/** A body that its route takes, as far as the matrix has one. */
function bodyOf(operation: Operation): Readonly<Record<string, unknown>> {
  const { a } = world;
  const body = FIXTURES[operation.name]?.[0]?.call(a.first.id, a).body;
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}

/** The route with the caller's own ids; verbs that end things are asked for nobody's. */
function ownPath(operation: Operation): string {
  const { a } = world;
  const ids: Readonly<Record<string, string>> = { tenant: a.first.id, model: "order", provider: "nobodys" };
  const known = operation.method === "GET" && operation.path.startsWith("/v1/connections") ? a.first.connectionId : "x";
  return operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? known);
}

interface Attempt {
  readonly operation: Operation;
  readonly path: string;
  readonly body?: unknown;
}

const AT_ONCE = 8;

/** Asks for each value, and keeps what was not answered as it should be. */
async function askAll<T>(values: readonly T[], attemptOf: (value: T) => Attempt): Promise<void> {
  for (let start = 0; start < values.length; start += AT_ONCE) {
    const batch = values.slice(start, start + AT_ONCE).map(attemptOf);
    const answers = await Promise.all(batch.map(ask));
    for (const [index, answer] of answers.entries()) note(answer, JSON.stringify(batch[index]).slice(0, 400));
  }
}

function ask({ operation, path, body }: Attempt): Promise<Answer> {
  const { a, product } = world;
  const headers = {
    api: withKey(a.apiKey),
    connect: withSession(a.first.sessionToken),
    admin: withKey(product.operatorToken),
  }[operation.audience];
  const { method } = operation;
  const given = body ?? (operation.bodyFields.length > 0 ? bodyOf(operation) : undefined);
  return send(product, { method, path, headers, body: method === "GET" ? undefined : given });
}

function quoted(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : "%ED%A0%80";
}

function note(answer: Answer, label: string): void {
  asked++;
  const isProblem = () => Problem.safeParse(jsonOf(answer)).success;
  // Node refuses too long an address by itself, before any of our code.
  const fine = answer.status < 400 || answer.status === 431 || (answer.status < 500 && isProblem());
  if (!fine) failures.push(`${label}: ${answer.status} ${answer.text}`);
}
