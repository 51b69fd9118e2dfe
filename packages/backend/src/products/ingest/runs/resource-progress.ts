import type { ModelName, RunModel } from "@patchbay/shared";
import type { ApplyCounts, RejectedItem } from "../../../domain/records/index.ts";
import { saveRun, type RunContext } from "./run-context.ts";
import { modelsOf, type ResourceState, type RunState } from "./run-state.ts";

/** The state with one resource's part changed and the failures forgotten. */
export function withResource(state: RunState, name: string, changes: Partial<ResourceState>): RunState {
  const before = state.resources[name];
  if (before === undefined) throw new Error(`the run has no resource ${name}`);
  return { ...state, failures: 0, errors: 0, resources: { ...state.resources, [name]: { ...before, ...changes } } };
}

/** The run's models after a page: what was applied, what did not fit, and how far they are. */
export function countPage(
  context: RunContext,
  name: string,
  page: {
    readonly counts: ReadonlyMap<ModelName, ApplyCounts>;
    readonly rejected: readonly RejectedItem[];
    readonly status: "running" | "completed";
    /** Of any model of the run, where they were counted just now. */
    readonly totals?: ReadonlyMap<ModelName, number>;
  },
): RunModel[] {
  const { connector } = context.connection;
  const resource = connector.resources[name];
  if (resource === undefined) return context.row.models;
  const affected = modelsOf(connector, resource);
  return context.row.models.map((model) => {
    const total = page.totals?.get(model.model) ?? model.total;
    if (!affected.includes(model.model) || model.status === "skipped") return { ...model, total };
    const own = model.model === resource.model;
    const count = page.counts.get(model.model) ?? { created: 0, updated: 0, deleted: 0, unchanged: 0 };
    const quarantined = own ? page.rejected.length : 0;
    return {
      ...model,
      status: page.status,
      done: model.done + count.created + count.updated + count.unchanged + quarantined,
      total,
      created: model.created + count.created,
      updated: model.updated + count.updated,
      deleted: model.deleted + count.deleted,
      quarantined: model.quarantined + quarantined,
    };
  });
}

/** Gives a resource up; the run goes on with the others and ends as `partial`. */
export async function failResource(context: RunContext, name: string, problem: string): Promise<RunContext> {
  const { deps, lane, connection, row } = context;
  const resource = connection.connector.resources[name];
  const affected = resource === undefined ? [] : modelsOf(connection.connector, resource);
  const models = row.models.map((model) =>
    affected.includes(model.model) && model.status !== "skipped"
      ? { ...model, status: "failed" as const, problem }
      : model,
  );
  deps.log.warn({ ...connection.lane, runId: row.id, resource: name, problem }, "resource of a run failed");
  return deps.worker.withWorkspace(row.workspaceId, async (tx) => {
    await lane.fence(tx);
    return saveRun(tx, context, { models }, withResource(context.state, name, { phase: "failed", request: null }));
  });
}
