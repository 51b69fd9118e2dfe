import { AppError, type AuditDetails, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import type { Logger } from "../../platform/observability/index.ts";
import type { AuditAct } from "./act.ts";
import type { Audit } from "./audit.ts";

/** What only the result of an act tells. */
export interface Outcome {
  readonly target?: AuditAct["target"];
  readonly tenantUid?: TenantUid;
  readonly details?: AuditDetails;
}

/**
 * Enters the attempt, does it, enters how it went. When the attempt cannot be entered, nothing is done. When the
 * outcome cannot, the attempt stands alone: it was done, or not, and nobody could say how.
 *
 * @param outcomeOf looks at the result
 * @throws whatever `work` throws
 */
export async function audited<Result>(
  deps: { readonly audit: Pick<Audit, "record">; readonly log: Logger },
  workspaceId: WorkspaceId,
  act: Omit<AuditAct, "kind">,
  work: () => Promise<Result>,
  outcomeOf: (result: Result) => Promise<Outcome> | Outcome = () => ({ details: { ok: true } }),
): Promise<Result> {
  // The caller must hear of the act itself, not of trouble with its second entry.
  const enterOutcome = (outcome: Outcome) =>
    deps.audit
      .record(workspaceId, {
        ...act,
        ...outcome,
        kind: "outcome",
        details: { ...act.details, ...outcome.details },
      })
      .catch((error: unknown) => deps.log.error({ error, workspaceId, action: act.action }, "outcome not audited"));
  await deps.audit.record(workspaceId, { ...act, kind: "attempt" });
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    const code = error instanceof AppError ? error.code : "internal";
    await enterOutcome({ details: { ok: false, code } });
    throw error;
  }
  await enterOutcome(await outcomeOf(result));
  return result;
}
