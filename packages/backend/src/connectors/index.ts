/** Providers as values, and the contract they fulfil. */
export * from "./kit/index.ts";
export * from "./registry.ts";
