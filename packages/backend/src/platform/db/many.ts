import { getTableColumns, sql, type SQL } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import { arrayParam } from "./array.ts";

/** Condition: the column has one of these values. One text for any number of them, so that it stays prepared. */
export function isOneOf(column: PgColumn, values: readonly (string | Date)[]): SQL {
  return sql`${column} = any(${arrayParam(
    values.map((value) => (value instanceof Date ? value.toISOString() : value)),
    column.getSQLType(),
  )})`;
}

/**
 * Rows to insert, for `insert(table).select(…)`: one parameter a column, however many rows. A list of values has one
 * for each field, which drizzle takes tens of milliseconds to write for some hundred rows, and which is never prepared.
 *
 * Fields that a row leaves out get the column's default. No columns of arrays.
 */
export function manyRows<Table extends PgTable>(table: Table, rows: readonly Table["$inferInsert"][]): SQL {
  const fields: readonly Readonly<Record<string, unknown>>[] = rows;
  const columns = Object.entries(getTableColumns(table)).map(([key, column]) =>
    arrayParam(
      fields.map((row) => toText(column, row[key])),
      column.getSQLType(),
    ),
  );
  return sql`select * from unnest(${sql.join(columns, sql`, `)})`;
}

function toText(column: PgColumn, given: unknown): string | null {
  const value = given === undefined ? (column.default ?? null) : given;
  if (value === null) return null;
  const driven = column.mapToDriverValue(value);
  return driven instanceof Uint8Array
    ? `\\x${Buffer.from(driven.buffer, driven.byteOffset, driven.byteLength).toString("hex")}`
    : String(driven);
}
