export { endRest, LeaseLost, type ItemOutcome, type LaneItem } from "./claim.ts";
export { enqueue, submit, type LaneKey, type LaneKind, type NewItem } from "./enqueue.ts";
export { forgetTenantWork } from "./forget-tenant.ts";
export type { LaneLimits } from "./limits.ts";
export { pruneLanes } from "./prune-lanes.ts";
export * from "./tables.ts";
export * from "./wake.ts";
export * from "./worker.ts";
export { createWorkLoop, type WorkLoop } from "./work-loop.ts";
