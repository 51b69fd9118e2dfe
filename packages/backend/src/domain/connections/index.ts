export * from "./change-of-grant.ts";
export * from "./change-status.ts";
export * from "./insert-connection.ts";
export * from "./list-connections.ts";
export * from "./load-connection.ts";
export * from "./state.ts";
export * from "./tables.ts";
export * from "./to-api.ts";
