import { sql } from "drizzle-orm";
import type { Tx } from "./database.ts";

/** The database's clock, as time passes: what processes must judge alike is judged by it, not by their own. */
export const databaseNow = () =>
  sql<Date>`extract(epoch from clock_timestamp()) * 1000`.mapWith((value: unknown) => new Date(Number(value)));

export async function readDatabaseNow(tx: Tx): Promise<Date> {
  const [row] = await tx.execute<{ ms: string }>(sql`select extract(epoch from clock_timestamp()) * 1000 as ms`);
  if (row === undefined) throw new Error("the database told no time");
  return new Date(Number(row.ms));
}
