import postgres from "postgres";
import { expect, test } from "vitest";
import { createEmptyDatabase } from "../../../../../test/harness/database.ts";
import { ensureRoles, missingRoles } from "./roles.ts";

const AT_ONCE = 4;
const TIMES = 5;

test("roles are made from two databases of one cluster at the same time, again and again", async () => {
  await using first = await createEmptyDatabase();
  await using second = await createEmptyDatabase();
  const password = String(first.connection.password);
  const clients = [first, second].flatMap((database) =>
    Array.from({ length: AT_ONCE }, () => ({
      name: database.name,
      sql: postgres({ ...database.adminConnection, max: 1, onnotice: () => {} }),
    })),
  );
  try {
    for (let time = 0; time < TIMES; time++) {
      await Promise.all(clients.map(({ sql, name }) => ensureRoles(sql, name, password)));
    }
    expect(await missingRoles(first.sql)).toEqual([]);
  } finally {
    await Promise.all(clients.map(({ sql }) => sql.end({ timeout: 5 })));
  }
});
