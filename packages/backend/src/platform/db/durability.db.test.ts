import { expect, test } from "vitest";
import { createTestDatabase } from "../../../../../test/harness/database.ts";
import { findDurabilityProblems, openDatabase } from "./index.ts";

test("names every setting by which the database server may forget what it acknowledged", async () => {
  await using testDatabase = await createTestDatabase();
  // The tests' own server is made to be thrown away: all three are off.
  const database = openDatabase(testDatabase.connection, 2);
  try {
    expect(await findDurabilityProblems(database)).toEqual([
      "fsync is off",
      "full_page_writes is off",
      "synchronous_commit is off",
    ]);
    await testDatabase.sql.unsafe(`alter database ${testDatabase.name} set synchronous_commit = on`);
  } finally {
    await database.close();
  }
  const again = openDatabase(testDatabase.connection, 2);
  try {
    expect(await findDurabilityProblems(again)).toEqual(["fsync is off", "full_page_writes is off"]);
  } finally {
    await again.close();
  }
});
