import type { Place } from "./envelope.ts";

/**
 * A column that holds sealed values, so that rotation can find them and seal them anew. Every module declares its own
 * in `sealed-columns.ts`; a test compares the declarations with the schema.
 *
 * The table has a `workspace_id`, which with `id` is its primary key.
 */
export interface SealedColumn {
  readonly table: string;
  /** The column that names the row in a {@link Place}. */
  readonly id: string;
  readonly idType: "uuid" | "text";
  readonly column: string;
  /** The column that repeats the id of the value's key; `null` where the value alone tells. */
  readonly keyColumn: string | null;
  /** The column whose number a value is bound to, raised by whoever writes it; `null`: always version 1. */
  readonly versionColumn: string | null;
}

/** `grants.tokens` */
export function nameOfColumn(column: SealedColumn): string {
  return `${column.table}.${column.column}`;
}

/** What a value of this column is bound to. */
export function placeIn(column: SealedColumn, row: { readonly id: string; readonly version: number }): Place {
  return {
    table: column.table,
    rowId: row.id,
    column: column.column,
    rowVersion: column.versionColumn === null ? 1 : row.version,
  };
}
