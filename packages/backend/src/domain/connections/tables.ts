import type {
  ConnectionId,
  ConnectionStatus,
  GrantId,
  ModelName,
  ProviderAppId,
  TenantUid,
  WorkspaceId,
} from "@patchbay/shared";
import { sql } from "drizzle-orm";
import {
  bigint,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { NIL_UUID, bytea, id, instant } from "../../platform/db/columns.ts";
import { tenants } from "../workspaces/tables.ts";
import type { HealthCause } from "./health.ts";

export type GrantState = "active" | "refreshing" | "uncertain" | "dead" | "ended";

/** Tokens for one provider app × provider account × mode. Connections hang on it; it owns refresh. */
export const grants = pgTable(
  "grants",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<GrantId>().notNull(),
    provider: text().notNull(),
    providerAppId: id<ProviderAppId>().notNull(),
    /** Id of the connector's auth method. */
    authMethod: text().notNull().default("oauth2"),
    /**
     * The tenant that handed the credential over: nobody else's connection hangs on it. The nil UUID for OAuth, whose
     * tokens are the provider app's own and shared by all connections to the account.
     */
    ownerTenantUid: id<TenantUid>()
      .notNull()
      .default(NIL_UUID as TenantUid),
    /** The provider's immutable id of the account. */
    accountId: text().notNull(),
    mode: text().$type<"live" | "test">().notNull(),
    /** Declared connection parameters, such as the shop domain. */
    params: jsonb().$type<Record<string, string>>().notNull(),
    /** Sealed JSON of all tokens, under a data key of its own; `null` once destroyed. */
    tokens: bytea(),
    /** The pair before, kept until the new one proved itself. Sealed. */
    previousTokens: bytea(),
    rowVersion: integer().notNull().default(1),
    scopes: text().array().notNull().default([]),
    /** `ended`: given back, tokens and their key destroyed. The account's next authorization makes a new grant. */
    state: text().$type<GrantState>().notNull(),
    /** Provisional for 60 s: a late pair may still revive it. */
    deadSince: instant(),
    /** The hosts were told of the death. On a grant that is not dead: they are still to be told that it lives again. */
    deathToldAt: instant(),
    /** +1 per claim of a refresh: whoever comes late cannot write. */
    fence: bigint({ mode: "number" }).notNull().default(0),
    leaseUntil: instant(),
    attemptId: uuid(),
    /** When a refresh token that works only once was about to be sent: it may be spent, and is not sent again. */
    askedAt: instant(),
    /** Refreshes in a row that came to nothing. */
    failures: integer().notNull().default(0),
    accessExpiresAt: instant(),
    /** When to refresh, well before the access token expires; after a failure, when to try again. */
    refreshAt: instant(),
    refreshExpiresAt: instant(),
    /** When the next step of replacing a key of our own is due; `null`: the key is not ours to replace. */
    rotateAt: instant(),
    /** Of the client certificate that was handed over. */
    certificateEndsAt: instant(),
    /** The host took the credentials over: we neither refresh them nor give them back at the provider. */
    handedOverAt: instant(),
    /** When an idle grant is refreshed for the sake of its refresh token; `null`: that does not end. */
    keepAliveAt: instant(),
    createdAt: instant().notNull(),
    updatedAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("grants_account")
      .on(t.workspaceId, t.providerAppId, t.accountId, t.mode, t.authMethod, t.ownerTenantUid)
      .where(sql`state <> 'ended'`),
    index("grants_untold")
      .on(t.workspaceId, t.deadSince)
      .where(sql`state = 'dead' and death_told_at is null`),
    index("grants_revived")
      .on(t.workspaceId)
      .where(sql`state <> 'dead' and death_told_at is not null`),
    index("grants_idle")
      .on(t.workspaceId, t.keepAliveAt)
      .where(sql`state in ('active', 'uncertain', 'refreshing')`),
    index("grants_rotating")
      .on(t.workspaceId, t.rotateAt)
      .where(sql`rotate_at is not null`),
    index("grants_certified")
      .on(t.workspaceId, t.certificateEndsAt)
      .where(sql`certificate_ends_at is not null`),
  ],
);

/** Token pairs that arrived after their refresh had lost its lease: the only valid pair may be among them. */
export const orphanTokenPairs = pgTable(
  "orphan_token_pairs",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: uuid().notNull(),
    grantId: id<GrantId>().notNull(),
    tokens: bytea().notNull(),
    /** As `grants.askedAt`. */
    askedAt: instant(),
    createdAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    foreignKey({ columns: [t.workspaceId, t.grantId], foreignColumns: [grants.workspaceId, grants.id] }),
  ],
);

/** What each provider app may still ask of its provider's token endpoint, over all processes. */
export const tokenBudgets = pgTable(
  "token_budgets",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    providerAppId: id<ProviderAppId>().notNull(),
    /** Each call moves it on by its share of time; it may be ahead of now by the burst at most (GCRA). */
    paidUntil: instant().notNull(),
    /** The endpoint asked for a pause, or fails. */
    blockedUntil: instant(),
    /** Calls in a row after which nobody knows what the endpoint did. */
    failures: integer().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.providerAppId] })],
);

export const connections = pgTable(
  "connections",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<ConnectionId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    grantId: id<GrantId>().notNull(),
    provider: text().notNull(),
    accountId: text().notNull(),
    accountName: text().notNull(),
    accountUrl: text(),
    /** Other names that deliveries may carry, such as the shop domain. */
    accountAliases: text().array().notNull().default([]),
    accountCurrency: text(),
    mode: text().$type<"live" | "test">().notNull(),
    status: text().$type<ConnectionStatus>().notNull(),
    health: text().$type<"ok" | "degraded">().notNull().default("ok"),
    /** All that is wrong now; `health` is `ok` when empty. */
    healthCauses: text().array().$type<HealthCause[]>().notNull().default([]),
    /** Runs over all models that failed, in a row. */
    failedRuns: integer().notNull().default(0),
    statusReason: text(),
    models: text().array().$type<ModelName[]>().notNull(),
    grantedScopes: text().array().notNull().default([]),
    params: jsonb().$type<Record<string, string>>().notNull(),
    createdAt: instant().notNull(),
    activatedAt: instant(),
    lastSyncedAt: instant(),
    /** When the next incremental run is due; `null`: none (paused, ended). */
    nextRunAt: instant(),
    endedAt: instant(),
    updatedAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("connections_live_account")
      .on(t.workspaceId, t.tenantUid, t.provider, t.accountId, t.mode)
      .where(sql`ended_at is null`),
    index("connections_tenant").on(t.workspaceId, t.tenantUid, t.id),
    index("connections_account").on(t.workspaceId, t.provider, t.accountId),
    index("connections_grant").on(t.workspaceId, t.grantId),
    index("connections_next_run").on(t.workspaceId, t.nextRunAt),
    foreignKey({ columns: [t.workspaceId, t.tenantUid], foreignColumns: [tenants.workspaceId, tenants.uid] }),
    foreignKey({ columns: [t.workspaceId, t.grantId], foreignColumns: [grants.workspaceId, grants.id] }),
  ],
);
