export { apply, ConcurrentApply, type ApplyCounts, type ApplyInput, type ApplyResult } from "./apply.ts";
export type { GoneObject } from "./candidates.ts";
export type { ReadInterval } from "./decide.ts";
export { forgetTenantRecords } from "./forget-tenant.ts";
export * from "./list-records.ts";
export * from "./project.ts";
export * from "./quarantine.ts";
export * from "./sealed-columns.ts";
export * from "./tables.ts";
