export type { Actor, AuditAct, AuditAction } from "./act.ts";
export { createAudit, type Audit, type AuditWriter } from "./audit.ts";
export { audited, type Outcome } from "./audited.ts";
export type { LogReport } from "./check-log.ts";
export { allCheckpoints, listAudit, listCheckpoints, readLog } from "./read-log.ts";
export * from "./tables.ts";
export * from "./verify-log.ts";
export { writeCheckpoint } from "./write-checkpoint.ts";
