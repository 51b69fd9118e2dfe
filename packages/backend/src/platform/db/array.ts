import { sql, type SQL } from "drizzle-orm";

/**
 * A bound array parameter of any type. It travels as `text[]`: drizzle turns off postgres.js's own serializers for
 * dates, so arrays of other types cannot be bound directly.
 */
export function arrayParam(values: readonly (string | null)[], type: string): SQL {
  return sql`${sql.param([...values])}::text[]::${sql.raw(type)}[]`;
}
