import type postgres from "postgres";
import { LINE_BYTES_MAX } from "./format.ts";
import { linesOf } from "./lines.ts";

/** The rows of a `COPY … TO STDOUT`, many at a time. */
export async function* copyOut(tx: postgres.TransactionSql, statement: string): AsyncGenerator<Buffer[], void> {
  const rows = await tx.unsafe(statement).readable();
  yield* linesOf(rows, LINE_BYTES_MAX);
  // The driver stops listening when rows fill the stream's buffer, and listens again when more of them are asked for.
  // If those were the last, nobody asks, and the end of the statement is never heard.
  rows._read(0);
}
