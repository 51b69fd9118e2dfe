export * from "./addresses.ts";
export * from "./clock.ts";
export * from "./ids.ts";
export * from "./instant.ts";
export * from "./json.ts";
export * from "./random.ts";
export * from "./secret.ts";
export * from "./version.ts";
