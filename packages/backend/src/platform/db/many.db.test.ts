import { asc, sql } from "drizzle-orm";
import { bigint, boolean, doublePrecision, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { bytea, instant } from "./columns.ts";
import { openDatabase, type Database, type WithQueue } from "./database.ts";
import { isOneOf, manyRows } from "./many.ts";

const things = pgTable("things", {
  id: uuid().primaryKey(),
  someText: text(),
  count: integer().notNull().default(7),
  large: bigint({ mode: "bigint" }),
  ratio: doublePrecision(),
  isOn: boolean().notNull().default(true),
  at: instant(),
  data: jsonb().$type<unknown>(),
  body: bytea(),
});

let fixture: TestDatabase;
let database: Database;
beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 2);
  await fixture.sql`
    create table things (id uuid primary key, some_text text, count int not null default 7, large bigint, ratio float8,
      is_on boolean not null default true, at timestamptz, data jsonb, body bytea)`;
  await fixture.sql`grant all on things to patchbay_app`;
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

const withQueue: WithQueue = (work) => database.as("patchbay_app").withQueue(work);

const ROWS = [
  {
    id: randomUUID(),
    someText: `{"a\\b",NULL} 'c' \n ☕`,
    count: -1,
    large: 2n ** 62n,
    ratio: 0.1 + 0.2,
    isOn: false,
    at: new Date("2026-10-01T12:00:00.123Z"),
    data: { 'quo"te': ["\\", null, 1.5, { deep: "☕" }] },
    body: Buffer.from([0, 1, 92, 255]),
  },
  { id: randomUUID(), someText: "NULL", data: "a text", body: Buffer.alloc(0) },
  { id: randomUUID(), someText: "" },
];

test("rows that go in by columns come out as those that go in by values", async () => {
  await withQueue((tx) => tx.insert(things).values(ROWS));
  const byValues = await withQueue((tx) => tx.select().from(things).orderBy(asc(things.id)));
  await withQueue((tx) => tx.delete(things));
  await withQueue((tx) => tx.insert(things).select(manyRows(things, ROWS)));
  expect(await withQueue((tx) => tx.select().from(things).orderBy(asc(things.id)))).toEqual(byValues);
});

test("any number of rows and values is one text", async () => {
  const textOf = (count: number) =>
    withQueue(
      async (tx) =>
        tx
          .insert(things)
          .select(manyRows(things, Array.from({ length: count }, aRow)))
          .toSQL().sql,
    );
  expect(await textOf(1)).toBe(await textOf(500));
  const { id, at } = things;
  const found = await withQueue((tx) =>
    tx
      .select({ id })
      .from(things)
      .where(sql`${isOneOf(id, [ROWS[0]?.id ?? ""])} and ${isOneOf(at, [ROWS[0]?.at ?? new Date(0)])}`),
  );
  expect(found).toEqual([{ id: ROWS[0]?.id }]);
});

const aRow = () => ({ id: randomUUID() });
