import type { WorkspaceId } from "@patchbay/shared";
import { eq, sql } from "drizzle-orm";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { openDatabase, type Database } from "./database.ts";
import { sideBySide } from "./side-by-side.ts";

const steps = pgTable("steps", { id: integer().primaryKey(), name: text().notNull() });

let fixture: TestDatabase;
let database: Database;
beforeAll(async () => {
  fixture = await createTestDatabase();
  await fixture.sql`create table steps (id int primary key, name text not null)`;
  await fixture.sql`grant select, insert, update, delete on steps to patchbay_worker`;
  database = openDatabase(fixture.connection, 2);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

describe("statements side by side", () => {
  test("run in their order, each seeing what those before it did, however they were written", async () => {
    const { withQueue } = database.as("patchbay_worker");
    for (let round = 0; round < 20; round++) {
      const seen = await withQueue(async (tx) => {
        const [, built, , raw, , none] = await sideBySide(
          tx.insert(steps).values({ id: 1, name: "made" }),
          tx.select().from(steps),
          tx.execute(sql`update steps set name = 'changed'`),
          tx.execute(sql`select name from steps`),
          tx.delete(steps).where(eq(steps.id, 1)),
          tx.select().from(steps),
        );
        return { built, raw: [...raw], none };
      });
      expect(seen).toEqual({ built: [{ id: 1, name: "made" }], raw: [{ name: "changed" }], none: [] });
    }
  });

  test("fail with the first failure, when all have ended, and leave nothing", async () => {
    const { withQueue, withWorkspace } = database.as("patchbay_worker");
    const work = withQueue((tx) =>
      sideBySide(
        tx.insert(steps).values({ id: 2, name: "first" }),
        tx.execute(sql`select 1 / 0`),
        tx.insert(steps).values({ id: 3, name: "late" }),
      ),
    );
    await expect(work).rejects.toMatchObject({ cause: { code: "22012" } });
    const left = await withWorkspace(randomUUID() as WorkspaceId, (tx) => tx.select().from(steps));
    expect(left).toEqual([]);
  });
});
