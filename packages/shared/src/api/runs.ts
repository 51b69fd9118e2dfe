import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";
import { pageQuery } from "../pagination.ts";
import { RUN_STATUSES, type RunStatus } from "./connections.ts";

/** One execution of a sync. */
export interface Run {
  /** `run_…` */
  readonly id: string;
  readonly connectionId: string;
  readonly tenantId: string;
  readonly kind: "initial" | "incremental" | "manual" | "reconcile";
  readonly status: RunStatus;
  readonly models: readonly RunModel[];
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Stable code when failed or partial. */
  readonly problem: string | null;
}

/** Progress and result for one model. */
export interface RunModel {
  readonly model: ModelName;
  /** `skipped`: not read, since the scopes that it needs are missing. */
  readonly status: "waiting" | "running" | "completed" | "failed" | "skipped";
  readonly done: number;
  readonly total: number | null;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  /** Objects that did not fit their schema; kept in quarantine. */
  readonly quarantined: number;
  readonly problem: string | null;
}

export const RunModel: z.ZodType<RunModel> = z.strictObject({
  model: z.enum(MODEL_NAMES),
  status: z.enum(["waiting", "running", "completed", "failed", "skipped"]),
  done: z.int(),
  total: z.int().nullable(),
  created: z.int(),
  updated: z.int(),
  deleted: z.int(),
  quarantined: z.int(),
  problem: z.string().nullable(),
});

export const Run: z.ZodType<Run> = z
  .strictObject({
    id: z.string(),
    connectionId: z.string(),
    tenantId: z.string(),
    kind: z.enum(["initial", "incremental", "manual", "reconcile"]),
    status: z.enum(RUN_STATUSES),
    models: z.array(RunModel),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
    problem: z.string().nullable(),
  })
  .meta({ id: "Run" });

/** Body of `POST /v1/connections/{id}/runs`. */
export interface TriggerRun {
  /** `incremental` reads what changed since the last run, `full` everything. Default `incremental`. */
  readonly mode?: "incremental" | "full" | undefined;
  /** Default: all models of the connection. */
  readonly models?: readonly ModelName[] | undefined;
}
export const TriggerRun: z.ZodType<TriggerRun> = z
  .strictObject({
    mode: z.enum(["incremental", "full"]).optional(),
    models: z.array(z.enum(MODEL_NAMES)).min(1).optional(),
  })
  .meta({ id: "TriggerRun" });

export interface TriggeredRun {
  readonly runId: string;
  /** A run of this connection was queued or running already; `runId` is that one. */
  readonly alreadyQueued: boolean;
}
export const TriggeredRun: z.ZodType<TriggeredRun> = z
  .strictObject({ runId: z.string(), alreadyQueued: z.boolean() })
  .meta({ id: "TriggeredRun" });

export const ListRunsQuery = z.strictObject({ ...pageQuery, connectionId: z.string().optional() });
