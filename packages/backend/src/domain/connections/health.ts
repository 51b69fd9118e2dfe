/**
 * What can be wrong with a connection that works on the whole, the most telling first: `statusReason` shows the first
 * that holds.
 */
export const HEALTH_CAUSES = [
  "account_suspended", // the provider keeps the account closed for now: unpaid, locked
  "token_refused", // refused although fresh: under suspicion, asked again
  "access_refused", // fresh tokens are good, and the account or some models are refused all the same
  "missing_scopes", // some models may not be read
  "certificate_expiring", // the client certificate is near its end
  "runs_failing", // three runs over everything failed in a row
] as const;
export type HealthCause = (typeof HEALTH_CAUSES)[number];

export interface HealthChange {
  readonly add?: readonly HealthCause[];
  readonly clear?: readonly HealthCause[];
}

/** The causes after a change, in the order of {@link HEALTH_CAUSES}. What is both added and cleared holds. */
export function causesAfter(before: readonly HealthCause[], change: HealthChange): readonly HealthCause[] {
  const { add = [], clear = [] } = change;
  return HEALTH_CAUSES.filter((cause) => add.includes(cause) || (before.includes(cause) && !clear.includes(cause)));
}

export function healthOf(causes: readonly HealthCause[]): "ok" | "degraded" {
  return causes.length === 0 ? "ok" : "degraded";
}

/** What is wrong belongs to the credentials: new ones start without it. */
export const CREDENTIAL_CAUSES = [
  "token_refused",
  "access_refused",
  "missing_scopes",
  "certificate_expiring",
] as const satisfies readonly HealthCause[];
