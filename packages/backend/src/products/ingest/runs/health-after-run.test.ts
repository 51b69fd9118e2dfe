import type { ModelName, RunModel, RunStatus } from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import { healthAfterRun } from "./health-after-run.ts";
import { waitingModels } from "./run-state.ts";

const MODELS: readonly ModelName[] = ["order", "customer"];
const connection = (failedRuns = 0) => ({ models: MODELS, failedRuns });
const run = (status: RunStatus, models: readonly RunModel[], problem: string | null = null) => ({
  status,
  problem,
  models,
});
const models = (changes: Partial<Record<ModelName, Partial<RunModel>>>, names: readonly ModelName[] = MODELS) =>
  waitingModels(names).map((model) => ({ ...model, status: "completed" as const, ...changes[model.model] }));

const FAILED = { order: { status: "failed", problem: "provider_error" } } as const;
const DENIED = { order: { status: "failed", problem: "missing_scope" } } as const;
const SKIPPED = { order: { status: "skipped", problem: "missing_scope" } } as const;

describe("healthAfterRun", () => {
  test("calls the third failed run in a row a degradation, and not the second", () => {
    expect(healthAfterRun(connection(1), run("partial", models(FAILED)))).toMatchObject({ failedRuns: 2, add: [] });
    const third = healthAfterRun(connection(2), run("partial", models(FAILED)));
    expect(third).toMatchObject({ failedRuns: 3, add: ["runs_failing"] });
  });

  test.each([DENIED, SKIPPED])("says at once that scopes are missing: %j", (changes) => {
    const after = healthAfterRun(connection(), run("partial", models(changes), "missing_scope"));
    expect(after).toMatchObject({ failedRuns: 0, add: ["missing_scopes"] });
    expect(after.clear).not.toContain("missing_scopes");
  });

  test("blames no scopes for what is refused to a good token, nor clears it by a run over another model", () => {
    const refused = { order: { status: "failed", problem: "access_refused" } } as const;
    const after = healthAfterRun(connection(), run("partial", models(refused)));
    expect(after).toMatchObject({ failedRuns: 0, add: ["access_refused"] });
    expect(after.clear).not.toContain("access_refused");
    expect(healthAfterRun(connection(), run("completed", models({}, ["customer"]))).clear).not.toContain(
      "access_refused",
    );
  });

  test.each([
    ["reauthorization_required", "token_refused"],
    ["account_suspended", "account_suspended"],
  ])("takes a run that ended by %s for %s, and does not count it", (problem, cause) => {
    expect(healthAfterRun(connection(2), run("failed", models({}), problem))).toEqual({ failedRuns: 2, add: [cause] });
  });

  test("clears everything after a whole run without trouble", () => {
    const after = healthAfterRun(connection(7), run("completed", models({})));
    expect(after.failedRuns).toBe(0);
    expect(after.clear?.toSorted()).toEqual(
      ["access_refused", "account_suspended", "missing_scopes", "runs_failing", "token_refused"].toSorted(),
    );
  });

  test("does not take a run over one model for all being well", () => {
    const after = healthAfterRun(connection(5), run("completed", models({}, ["customer"])));
    expect(after.failedRuns).toBe(5);
    expect(after.clear).not.toContain("runs_failing");
    expect(after.clear).not.toContain("missing_scopes");
  });

  test("learns nothing from a canceled run", () => {
    expect(healthAfterRun(connection(2), run("canceled", models(FAILED)))).toEqual({ failedRuns: 2 });
  });
});
