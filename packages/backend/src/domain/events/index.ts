export * from "./append-events.ts";
export { raiseEpoch } from "./raise-epoch.ts";
export * from "./sealed-columns.ts";
export * from "./tables.ts";
export { thinBody } from "./thin-event.ts";
