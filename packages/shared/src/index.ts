/**
 * Words and shapes: models, events, the API's requests and answers, errors, ids. Browser-safe; needs zod only.
 *
 * @module
 */
export * from "./api/index.ts";
export * from "./errors.ts";
export * from "./events/index.ts";
export * from "./ids.ts";
export * from "./models/index.ts";
export * from "./pagination.ts";
