import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";
import { pageQuery } from "../pagination.ts";
import { tenantId } from "./tenants.ts";

export const CONNECTION_STATUSES = [
  "pending",
  "active",
  "reauthorizationRequired",
  "paused",
  "revoked",
  "disconnected",
] as const;
/**
 * Where a connection stands. Health is apart: an `active` connection can be `degraded`.
 *
 * `revoked`: the provider or its user ended it. `disconnected`: the host or the end user ended it here.
 */
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number];

/** One tenant's link to one account at a provider. */
export interface Connection {
  /** `conn_…` */
  readonly id: string;
  readonly tenantId: string;
  readonly provider: string;
  /** The provider's immutable id of the account. */
  readonly providerAccountId: string;
  readonly accountName: string;
  readonly accountUrl: string | null;
  readonly mode: "live" | "test";
  readonly status: ConnectionStatus;
  readonly health: "ok" | "degraded";
  /** Why the status or health is what it is; a stable code. */
  readonly statusReason: string | null;
  readonly models: readonly ModelName[];
  readonly grantedScopes: readonly string[];
  readonly createdAt: string;
  readonly activatedAt: string | null;
  readonly lastSyncedAt: string | null;
  /** The newest run that is queued or running, else the last one. */
  readonly latestRun: ConnectionRun | null;
}

/** Progress of a run, as shown to people. */
export interface ConnectionRun {
  readonly id: string;
  readonly kind: "initial" | "incremental" | "manual" | "reconcile";
  readonly status: RunStatus;
  readonly done: number;
  /** `null` when the provider does not tell. */
  readonly total: number | null;
}

export const RUN_STATUSES = ["queued", "running", "completed", "partial", "failed", "canceled"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

const RunProgress: z.ZodType<ConnectionRun> = z.strictObject({
  id: z.string(),
  kind: z.enum(["initial", "incremental", "manual", "reconcile"]),
  status: z.enum(RUN_STATUSES),
  done: z.int(),
  total: z.int().nullable(),
});

export const Connection: z.ZodType<Connection> = z
  .strictObject({
    id: z.string(),
    tenantId: z.string(),
    provider: z.string(),
    providerAccountId: z.string(),
    accountName: z.string(),
    accountUrl: z.string().nullable(),
    mode: z.enum(["live", "test"]),
    status: z.enum(CONNECTION_STATUSES),
    health: z.enum(["ok", "degraded"]),
    statusReason: z.string().nullable(),
    models: z.array(z.enum(MODEL_NAMES)),
    grantedScopes: z.array(z.string()),
    createdAt: z.iso.datetime(),
    activatedAt: z.iso.datetime().nullable(),
    lastSyncedAt: z.iso.datetime().nullable(),
    latestRun: RunProgress.nullable(),
  })
  .meta({ id: "Connection" });

export const ListConnectionsQuery = z.strictObject({
  ...pageQuery,
  tenantId: tenantId.optional(),
  provider: z.string().max(40).optional(),
  status: z.enum(CONNECTION_STATUSES).optional(),
});

/** The answer of a live test call. */
export interface ConnectionTest {
  readonly ok: boolean;
  /** A stable code when not ok, such as `reauthorization_required`. */
  readonly problem: string | null;
  readonly accountName: string | null;
  readonly latencyMs: number;
}
export const ConnectionTest: z.ZodType<ConnectionTest> = z
  .strictObject({
    ok: z.boolean(),
    problem: z.string().nullable(),
    accountName: z.string().nullable(),
    latencyMs: z.number(),
  })
  .meta({ id: "ConnectionTest" });
