export * from "./array.ts";
export * from "./columns.ts";
export * from "./connection.ts";
export { openDatabase } from "./database.ts";
export type { Database, Role, RoleDatabase, Tx, WithQueue, WithTenant, WithWorkspace } from "./database.ts";
export * from "./migrate.ts";
export * from "./partitions.ts";
export { LOGIN_ROLE } from "./roles.ts";
export * from "./self-check.ts";
