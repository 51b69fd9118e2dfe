import type { ModelName, RunModel } from "@patchbay/shared";
import { z } from "zod";
import { canRead, type Connector, type ProviderRequest, type Resource } from "../../../connectors/kit/index.ts";
import { firstPageSize } from "./page-size.ts";

/** Where one resource of a run stands: enough to go on after a crash from the page that was being read. */
export interface ResourceState {
  readonly phase: "waiting" | "paging" | "sweeping" | "done" | "failed";
  /** The page to read next. */
  readonly request: ProviderRequest | null;
  readonly size: number;
  readonly ceiling: number;
  /** Only what changed since; `null`: everything. RFC 3339. */
  readonly since: string | null;
  /** Whether the host is told record by record: not of what is read for the first time. */
  readonly announce: boolean;
  /** When this resource's listing began: what was not seen after it may be gone. */
  readonly startedAt: string | null;
  /** The last record looked at by the sweep. */
  readonly sweptTo: string | null;
  /** The walk was started anew once, because its cursor was refused. */
  readonly restarted: boolean;
}

/** What `runs.cursors` holds. */
export interface RunState {
  readonly resources: Readonly<Record<string, ResourceState>>;
  /** Failures in a row of the page being read: the provider's, and our own. */
  readonly failures: number;
  readonly errors: number;
  /** When the host was last told of progress. */
  readonly toldAt: string | null;
}

const StoredRequest = z.looseObject({
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
  path: z.string(),
  query: z.record(z.string(), z.string()).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  idempotent: z.boolean(),
  cost: z.number(),
});

const StoredState = z.object({
  resources: z.record(
    z.string(),
    z.object({
      phase: z.enum(["waiting", "paging", "sweeping", "done", "failed"]),
      request: StoredRequest.nullable(),
      size: z.number(),
      ceiling: z.number(),
      since: z.iso.datetime().nullable(),
      announce: z.boolean(),
      startedAt: z.iso.datetime().nullable(),
      sweptTo: z.string().nullable(),
      restarted: z.boolean(),
    }),
  ),
  failures: z.number(),
  errors: z.number(),
  toldAt: z.iso.datetime().nullable(),
});

/** @throws ZodError when the column holds something else: a bug, or another version's run */
export function parseRunState(stored: unknown): RunState {
  // The schema's optional members may be present and undefined, which ours may not; JSON has no such thing.
  return StoredState.parse(stored) as RunState;
}

/** The same models, those that `granted` does not cover marked as left out. */
export function withoutDenied(
  connector: Connector,
  granted: readonly string[],
  models: readonly RunModel[],
): readonly RunModel[] {
  return models.map((each) =>
    canRead(connector, granted, each.model) ? each : { ...each, status: "skipped" as const, problem: "missing_scope" },
  );
}

/** Resources that a run of `models` lists, parents before those that refer to them, as the connector declares them. */
export function listedResources(connector: Connector, models: readonly ModelName[]): readonly Resource[] {
  return Object.values(connector.resources).filter(
    (resource) => resource.list !== null && modelsOf(connector, resource).some((model) => models.includes(model)),
  );
}

/** A resource's own model and those of its children. */
export function modelsOf(connector: Connector, resource: Resource): readonly ModelName[] {
  const children = Object.values(connector.resources).filter((child) => child.childOf === resource.name);
  return [...new Set([resource.model, ...children.map((child) => child.model)])];
}

/**
 * The state that a run begins with.
 *
 * @param changedSince up to when each resource was read completely by earlier runs
 */
export function initialState(
  connector: Connector,
  run: { readonly isFirst: boolean; readonly mode: "incremental" | "full"; readonly models: readonly ModelName[] },
  changedSince: ReadonlyMap<string, Date>,
): RunState {
  const resources = listedResources(connector, run.models).map((resource) => {
    const cursor =
      run.mode === "full" || resource.changes === "full_scan" ? undefined : changedSince.get(resource.name);
    const since = cursor === undefined ? null : new Date(cursor.getTime() - resource.overlapSeconds * 1000);
    const state: ResourceState = {
      phase: "waiting",
      request: null,
      ...(resource.list === null ? { size: 1, ceiling: 1 } : firstPageSize(resource.list.pageSize)),
      since: since?.toISOString() ?? null,
      announce: !run.isFirst && changedSince.has(resource.name),
      startedAt: null,
      sweptTo: null,
      restarted: false,
    };
    return [resource.name, state] as const;
  });
  return { resources: Object.fromEntries(resources), failures: 0, errors: 0, toldAt: null };
}

export function waitingModels(models: readonly ModelName[]): RunModel[] {
  return models.map((model) => ({
    model,
    status: "waiting",
    done: 0,
    total: null,
    created: 0,
    updated: 0,
    deleted: 0,
    quarantined: 0,
    problem: null,
  }));
}

/** The run's outcome from its models'. */
export function runStatusOf(models: readonly RunModel[]): "completed" | "partial" | "failed" {
  const failed = models.filter((model) => model.status === "failed" || model.status === "skipped").length;
  if (failed === 0) return "completed";
  return failed === models.length ? "failed" : "partial";
}
