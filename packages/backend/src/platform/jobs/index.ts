export * from "./housekeeping.ts";
