import { sql } from "drizzle-orm";
import { arrayParam } from "./array.ts";
import type { Database } from "./database.ts";

/** Without any one of them, what was answered with 2xx can be lost when the database server or its machine goes down. */
const REQUIRED = ["fsync", "full_page_writes", "synchronous_commit"] as const;

/** Settings of the database server that take back the promise that nothing accepted is lost; empty when it holds. */
export async function findDurabilityProblems(database: Database): Promise<readonly string[]> {
  return database.as("patchbay_worker").withQueue(async (tx) => {
    const rows = await tx.execute<{ name: string }>(sql`
      select name from pg_settings where name = any(${arrayParam([...REQUIRED], "text")}) and setting = 'off' order by name`);
    return rows.map(({ name }) => `${name} is off`);
  });
}
