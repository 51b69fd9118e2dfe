/** Hostile values in every parameter and field of every route: a clear refusal, never a failure of ours. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { anyRequest, foreignIds } from "./any-request.ts";
import type { Answer } from "./http.ts";
import { edgeIdsIn } from "./ids.ts";
import { ask, bodyOf, isSound, ownPath, type Attempt } from "./requests.ts";
import { operationsOf, readOpenApi, type Operation } from "./routes.ts";
import { snapshot, type Snapshot } from "./snapshot.ts";
import { createWorld, everythingListed, type World } from "./world.ts";

/** `PATCHBAY_TEST_FUZZ=100000` for more than what every check has time for. */
const REQUESTS = Number(process.env["PATCHBAY_TEST_FUZZ"] ?? 1_000);
/** So much of a long run is left to the machine. */
const REQUEST_MS = 100;

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
      const path = ownPath(world, operation);
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
      const path = ownPath(world, operation);
      const sound = bodyOf(world, operation);
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

describe("a field that a caller may not set", () => {
  test("is refused by name in the body of every route that takes one, and nothing is written", async () => {
    const taking = operations.filter(({ bodyFields }) => bodyFields.length > 0);
    expect(taking.length).toBeGreaterThan(15);
    const before = await rowsOf(world.a.uuid);
    const wrong: string[] = [];
    let fieldsAsked = 0;
    for (const operation of taking) {
      const path = ownPath(world, operation);
      const fields = FORBIDDEN.filter((field) => !operation.bodyFields.includes(field));
      for (let start = 0; start < fields.length; start += AT_ONCE) {
        const batch = fields.slice(start, start + AT_ONCE);
        const answers = await Promise.all(
          batch.map((field) => ask(world, { operation, path, body: withField(operation, field) })),
        );
        for (const [index, answer] of answers.entries()) {
          fieldsAsked++;
          const field = batch[index] ?? "";
          if (answer.status !== 400 || !answer.text.includes(field)) {
            wrong.push(`${operation.name} ${field}: ${answer.status} ${answer.text}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(await rowsOf(world.a.uuid)).toEqual(before);
    process.stdout.write(`mass assignment: ${fieldsAsked} fields in ${taking.length} bodies, 0 taken\n`);
  });
});

describe("any request", () => {
  test(
    "is taken or refused, never failed at, and tells nothing of another workspace",
    async () => {
      const { b, product } = world;
      const listed = await everythingListed(product, b.apiKey, [b.first.id, b.second.id]);
      // What a request named may come back later: a host may call a tenant of its own by any id.
      const unsaid = new Set([...edgeIdsIn(listed)].filter((id) => !foreignIds(world).includes(id)));
      expect(unsaid.size).toBeGreaterThan(200);
      const before = await rowsOf(b.uuid);
      const statuses = new Map<number, number>();
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyRequest(world, operations), { minLength: AT_ONCE, maxLength: AT_ONCE }),
          async (attempts) => {
            const answers = await Promise.all(attempts.map((attempt) => ask(world, attempt)));
            for (const [index, answer] of answers.entries()) {
              statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
              const attempt = attempts[index];
              if (attempt !== undefined) expectSound(attempt, answer, unsaid);
            }
          },
        ),
        { numRuns: Math.ceil(REQUESTS / AT_ONCE), endOnFailure: false },
      );
      expect(await rowsOf(b.uuid)).toEqual(before);
      const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
      process.stdout.write(`fuzz: ${REQUESTS} requests over ${operations.length} routes: ${counts.join(", ")}\n`);
    },
    30_000 + REQUESTS * REQUEST_MS,
  );
});

/** Columns, rights and facts of rows that are not the caller's to say. */
const FORBIDDEN = `id workspaceId workspace_id workspace tenantUid tenant_uid tenantRef keyId ownerTenantUid
  grantId grant_id providerAppId accountId account_id runId createdAt created_at updatedAt
  deletedAt revokedAt erasedAt lastUsedAt version rowVersion sequence position health
  healthCauses failedRuns secretHash publicId isAdmin admin role permissions bypass
  audience`.split(/\s+/);

function withField(operation: Operation, field: string): Readonly<Record<string, unknown>> {
  return { ...bodyOf(world, operation), [field]: world.b.uuid };
}

const AT_ONCE = 8;

/** Asks for each value, and keeps what was not answered as it should be. */
async function askAll<T>(values: readonly T[], attemptOf: (value: T) => Attempt): Promise<void> {
  for (let start = 0; start < values.length; start += AT_ONCE) {
    const batch = values.slice(start, start + AT_ONCE).map(attemptOf);
    const answers = await Promise.all(batch.map((attempt) => ask(world, attempt)));
    for (const [index, answer] of answers.entries()) note(answer, JSON.stringify(batch[index]).slice(0, 400));
  }
}

function quoted(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : "%ED%A0%80";
}

function note(answer: Answer, label: string): void {
  asked++;
  if (!isSound(answer)) failures.push(`${label}: ${answer.status} ${answer.text}`);
}

function expectSound(attempt: Attempt, answer: Answer, theirs: ReadonlySet<string>): void {
  const { operation, path, body, headers } = attempt;
  const label = `${operation.method} ${path} ${JSON.stringify({ body, headers })}`;
  if (!isSound(answer)) throw new Error(`${label}: ${answer.status} ${answer.text.slice(0, 500)}`);
  // The operator may see every workspace; the audit log repeats what its workspace asked for.
  if (operation.audience === "admin" || operation.path.startsWith("/v1/audit")) return;
  const told = [...edgeIdsIn(answer.text)].filter((id) => theirs.has(id));
  if (told.length > 0) throw new Error(`${label} tells ${told.join(", ")}`);
}

/** Without the tables that grow with every request. */
async function rowsOf(workspaceUuid: string): Promise<Snapshot> {
  const rows = { ...(await snapshot(world.product.database.sql, { workspaceUuid, withoutAuditLog: true })) };
  for (const table of ["public.audit_heads", "public.api_keys"]) delete rows[table];
  return rows;
}
