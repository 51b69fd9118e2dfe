export * from "./append-events.ts";
export * from "./sealed-columns.ts";
export * from "./tables.ts";
