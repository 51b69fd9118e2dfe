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
  /** A stable code when not ok, such as `reauthorization_required` or `missing_scopes`. */
  readonly problem: string | null;
  /** Scopes that the connection's models need and that are not granted. */
  readonly missingScopes: readonly string[];
  readonly accountName: string | null;
  readonly latencyMs: number;
}
export const ConnectionTest: z.ZodType<ConnectionTest> = z
  .strictObject({
    ok: z.boolean(),
    problem: z.string().nullable(),
    missingScopes: z.array(z.string()),
    accountName: z.string().nullable(),
    latencyMs: z.number(),
  })
  .meta({ id: "ConnectionTest" });

/**
 * Why a model cannot be read. `missing_scope`: the scopes were not granted, or were taken back. `not_asked`: the
 * connection was made for other models. `provider_limitation`: the provider has no such thing, or not for us.
 */
export const CAPABILITY_REASONS = ["missing_scope", "not_asked", "provider_limitation"] as const;
export type CapabilityReason = (typeof CAPABILITY_REASONS)[number];

/** What one model can do through a connection. */
export interface ModelCapability {
  readonly model: ModelName;
  readonly read: boolean;
  /** `null` when it can be read. */
  readonly reason: CapabilityReason | null;
  /** Scopes that reading it needs, as the provider calls them. */
  readonly scopes: readonly string[];
  /** Those of them that are not granted; empty where the provider does not tell what it granted. */
  readonly missingScopes: readonly string[];
}

/** `GET /v1/connections/{id}/capabilities`: every model there is. */
export interface ConnectionCapabilities {
  readonly connectionId: string;
  readonly status: ConnectionStatus;
  readonly health: "ok" | "degraded";
  readonly models: readonly ModelCapability[];
}
export const ConnectionCapabilities: z.ZodType<ConnectionCapabilities> = z
  .strictObject({
    connectionId: z.string(),
    status: z.enum(CONNECTION_STATUSES),
    health: z.enum(["ok", "degraded"]),
    models: z.array(
      z.strictObject({
        model: z.enum(MODEL_NAMES),
        read: z.boolean(),
        reason: z.enum(CAPABILITY_REASONS).nullable(),
        scopes: z.array(z.string()),
        missingScopes: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: "ConnectionCapabilities" });
