import type { AuditAct, AuditWriter } from "../../domain/audit/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { GrantTarget } from "./deps.ts";

/** What is done to a grant's credentials, whoever asked for it. */
export type GrantAct = Pick<AuditAct, "tenantUid" | "details"> & {
  readonly action:
    | "grant.created"
    /** Its tokens gave way to new ones. */
    | "grant.replaced"
    /** Its tokens were destroyed. */
    | "grant.ended"
    /** The replacement of a key that we replace ourselves, step by step. */
    | "grant.key_created"
    | "grant.key_refused"
    | "grant.key_replaced"
    | "grant.key_revoked";
};

/** Enters it, last in the transaction that does it. */
export function enterGrant(log: AuditWriter, tx: Tx, { grantId }: GrantTarget, act: GrantAct): Promise<void> {
  return log.append(tx, { ...act, actor: { kind: "system", id: null }, target: { type: "grant", id: grantId } });
}
