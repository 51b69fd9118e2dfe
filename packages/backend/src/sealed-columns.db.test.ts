import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../test/harness/database.ts";
import { nameOfColumn } from "./domain/vault/index.ts";
import { SEALED_COLUMNS } from "./sealed-columns.ts";

/** Columns of bytes that rotation leaves as they are, each with its reason. */
const NOT_SWEPT: Readonly<Record<string, string>> = {
  "vault_canaries.wrapped": "a wrapped key, of no workspace",
  "vault_canaries.key_check": "tells a key, opens nothing",
  "workspace_keys.wrapped": "a wrapped key: `keys rotate` wraps it anew",
  "workspace_keys.key_check": "tells a key, opens nothing",
  "data_keys.wrapped": "a wrapped key: `keys rotate --workspace-keys` wraps it anew",
  "data_keys.key_check": "tells a key, opens nothing",
  "inbox.body": "never rewritten; each day has its own key, and retention ends it",
  "inbox.body_sha256": "a hash",
  "inbox_dedupe.key": "a hash",
  "inbox_outcomes.waits_for": "a hash",
  "records.content_hash": "a hash",
  "api_keys.previous_secret_hash": "a hash",
  "api_keys.secret_hash": "a hash",
  "idempotency_keys.request_hash": "a hash",
  "connect_sessions.token_hash": "a hash",
  "authorizations.ticket_hash": "a hash",
  "authorizations.state_hash": "a hash",
  "authorizations.browser_nonce_hash": "a hash",
  "authorizations.completion_code_hash": "a hash",
  "audit_entries.hash": "a hash",
  "audit_entries.mac": "a code under the workspace's audit key, which is kept: the log is never rewritten",
  "audit_heads.hash": "a hash",
  "audit_checkpoints.hash": "a hash",
  "audit_checkpoints.signature": "a signature",
  "audit_signing_keys.public_key": "public",
  "audit_signing_keys.private_key": "sealed under an audit key, which is kept: the log is never rewritten",
};

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

test("every column of bytes is declared as sealed, or known not to be swept", async () => {
  const rows = await db.sql<{ name: string }[]>`
    select c.relname || '.' || a.attname as name
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.atttypid = 'bytea'::regtype and not a.attisdropped and a.attnum > 0
      and c.relkind in ('r', 'p') and not c.relispartition and n.nspname in ('public', 'queue')
    order by 1`;
  const inSchema = rows.map((row) => row.name);
  const declared = SEALED_COLUMNS.map(nameOfColumn);
  expect(
    inSchema.filter((name) => !declared.includes(name) && NOT_SWEPT[name] === undefined),
    "declare these in the sealed-columns.ts of their module, or give a reason here",
  ).toEqual([]);
  expect([...declared, ...Object.keys(NOT_SWEPT)].toSorted()).toEqual(inSchema.toSorted());
});

test.each(SEALED_COLUMNS.map((column) => [nameOfColumn(column), column] as const))(
  "%s is declared as the schema has it",
  async (_, column) => {
    const rows = await db.sql<{ name: string; type: string }[]>`
      select a.attname as name, a.atttypid::regtype::text as type from pg_attribute a
      where a.attrelid = ${column.table}::regclass and a.attnum > 0 and not a.attisdropped`;
    const types = Object.fromEntries(rows.map((row) => [row.name, row.type]));
    expect(types).toMatchObject({
      workspace_id: "uuid",
      [column.id]: column.idType,
      ...(column.keyColumn === null ? {} : { [column.keyColumn]: "uuid" }),
      ...(column.versionColumn === null ? {} : { [column.versionColumn]: "integer" }),
    });
    const [key] = await db.sql<{ columns: string[] }[]>`
      select array_agg(a.attname::text order by k.place) as columns
      from pg_index i, unnest(i.indkey) with ordinality as k (number, place), pg_attribute a
      where i.indrelid = ${column.table}::regclass and i.indisprimary and a.attrelid = i.indrelid and a.attnum = k.number`;
    expect(key?.columns).toEqual(["workspace_id", column.id]);
  },
);
