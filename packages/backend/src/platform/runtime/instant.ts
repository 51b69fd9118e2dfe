/** Postgres knows no year 0. */
const YEAR_1_MS = Date.parse("0001-01-01T00:00:00Z");

/** An RFC 3339 instant as a bound of a comparison: one before all that Postgres knows is its first. */
export function instantParam(text: string): Date {
  return new Date(Math.max(Date.parse(text), YEAR_1_MS));
}
