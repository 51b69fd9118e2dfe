export * from "./append-events.ts";
export * from "./tables.ts";
