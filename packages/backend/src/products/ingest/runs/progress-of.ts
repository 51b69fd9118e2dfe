import type { Run } from "@patchbay/shared";

/**
 * How far a run is, for a bar that only goes forward and ends full.
 *
 * Counts the models whose total is known. Those that come inside others, such as variants in products, have none: they
 * would only move the bar's end. Where no total is known, everything counts and `total` stays `null` until the run ends.
 */
export function progressOf(run: Pick<Run, "models" | "status">): {
  readonly done: number;
  readonly total: number | null;
} {
  const told = run.models.filter((model) => model.total !== null);
  const counted = told.length === 0 ? run.models : told;
  const done = counted.reduce((sum, model) => sum + model.done, 0);
  if (run.status !== "queued" && run.status !== "running") return { done, total: done };
  // What is made during the run comes on top of what was counted before it.
  const total = told.reduce((sum, model) => sum + Math.max(model.total ?? 0, model.done), 0);
  return { done, total: told.length === 0 ? null : total };
}
