import type { ModelName, RunModel, RunStatus } from "@patchbay/shared";
import type { HealthCause, HealthChange } from "../../../domain/connections/index.ts";

/** So many runs over everything that failed in a row are no accident. */
const FAILED_RUNS_MAX = 3;

/** What ends a run as a whole, and the cause that it shows. */
const ENDING: Readonly<Record<string, HealthCause>> = {
  reauthorization_required: "token_refused",
  account_suspended: "account_suspended",
};

/** Problems of a model that show a cause of their own. */
const EXPLAINED: ReadonlySet<string | null> = new Set(["missing_scope", "access_refused"]);

/**
 * What the end of a run says of its connection's health. Pure.
 *
 * A run over some models alone proves neither that all is well nor that nothing is.
 */
export function healthAfterRun(
  connection: { readonly models: readonly ModelName[]; readonly failedRuns: number },
  run: { readonly status: RunStatus; readonly problem: string | null; readonly models: readonly RunModel[] },
): HealthChange & { readonly failedRuns: number } {
  const { failedRuns } = connection;
  if (run.status === "canceled") return { failedRuns };
  const ending = run.problem === null ? undefined : ENDING[run.problem];
  if (ending !== undefined) return { failedRuns, add: [ending] };

  const denied = run.models.some((model) => model.problem === "missing_scope");
  const refused = run.models.some((model) => model.problem === "access_refused");
  const broken = run.models.some((model) => model.status === "failed" && !EXPLAINED.has(model.problem));
  const whole = connection.models.every((name) => run.models.some(({ model }) => model === name));
  const failures = whole ? (broken ? failedRuns + 1 : 0) : failedRuns;
  const add: HealthCause[] = [
    ...(refused ? (["access_refused"] as const) : []),
    ...(denied ? (["missing_scopes"] as const) : []),
    ...(failures >= FAILED_RUNS_MAX ? (["runs_failing"] as const) : []),
  ];
  const clear: HealthCause[] = [
    ...(run.status === "failed" ? [] : (["account_suspended", "token_refused"] as const)),
    ...(whole && !refused && run.status !== "failed" ? (["access_refused"] as const) : []),
    ...(whole && !denied ? (["missing_scopes"] as const) : []),
    ...(whole && !broken ? (["runs_failing"] as const) : []),
  ];
  return { failedRuns: failures, add, clear };
}
