import { customType, timestamp, uuid } from "drizzle-orm/pg-core";

/** Raw bytes. postgres.js gives and takes Buffers. */
export const bytea = customType<{ data: Uint8Array; driverData: Buffer }>({
  dataType: () => "bytea",
  toDriver: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
});

/** A branded UUID column. */
export const id = <Brand extends string>() => uuid().$type<Brand>();

/** An instant, UTC, microseconds in the database and milliseconds here. */
export const instant = () => timestamp({ withTimezone: true, mode: "date" });

/** Stands in keys where no tenant is meant: workspace-level keys, events and lanes. */
export const NIL_UUID = "00000000-0000-0000-0000-000000000000";
