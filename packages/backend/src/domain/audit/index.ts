export type { Actor, AuditAct, AuditAction } from "./act.ts";
export { createAudit, type Audit, type AuditWriter } from "./audit.ts";
export { audited, type Outcome } from "./audited.ts";
export * from "./tables.ts";
