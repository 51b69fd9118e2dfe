export { authenticateApiKey, createApiKey, type ApiCaller } from "./api-keys.ts";
export * from "./idempotency-keys.ts";
export * from "./open-workspace.ts";
export { loadAppKeys, publishedKeys, rotateSigningKey, type AppKeys, type SigningKey } from "./provider-app-keys.ts";
export * from "./provider-apps.ts";
export * from "./sealed-columns.ts";
export * from "./tables.ts";
export * from "./tenants.ts";
export * from "./workspaces.ts";
