import type {
  AuthorizationId,
  AuthorizationStatus,
  ConnectionId,
  ConnectSessionId,
  GrantId,
  ModelName,
  Permission,
  TenantUid,
  WorkspaceId,
} from "@patchbay/shared";
import { boolean, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../../platform/db/columns.ts";

export const connectSessions = pgTable(
  "connect_sessions",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<ConnectSessionId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    tokenHash: bytea().notNull(),
    endUserId: text().notNull(),
    endUserLabel: text(),
    endUserEmail: text(),
    /** `null`: all. */
    providers: text().array(),
    models: text().array().$type<ModelName[]>(),
    permissions: text().array().$type<Permission[]>().notNull(),
    connectionIds: text().array().$type<ConnectionId[]>(),
    /** A repair may come back with another account. */
    allowAccountChange: boolean().notNull().default(false),
    allowedOrigins: text().array().notNull(),
    returnUrl: text(),
    locale: text(),
    expiresAt: instant().notNull(),
    revokedAt: instant(),
    createdAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("connect_sessions_token").on(t.workspaceId, t.tokenHash),
    index("connect_sessions_expiry").on(t.workspaceId, t.expiresAt),
  ],
);

export const authorizations = pgTable(
  "authorizations",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<AuthorizationId>().notNull(),
    sessionId: id<ConnectSessionId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    endUserId: text().notNull(),
    endUserEmail: text(),
    endUserLabel: text(),
    provider: text().notNull(),
    params: jsonb().$type<Record<string, string>>().notNull(),
    models: text().array().$type<ModelName[]>().notNull(),
    /** Repairs this connection. */
    connectionId: id<ConnectionId>(),
    /** It may come back with another account. */
    allowAccountChange: boolean().notNull().default(false),
    display: text().$type<"popup" | "redirect">().notNull(),
    /** Where the callback page may post to. */
    openerOrigin: text().notNull(),
    returnUrl: text(),
    verifierChallenge: text().notNull(),
    /** Hashes of what only one browser or URL holds; each is burnt when used. */
    ticketHash: bytea(),
    ticketExpiresAt: instant(),
    stateHash: bytea(),
    browserNonceHash: bytea(),
    completionCodeHash: bytea(),
    /** Sealed PKCE verifier. */
    pkceVerifier: bytea(),
    status: text().$type<AuthorizationStatus>().notNull(),
    error: text(),
    missingScopes: text().array().notNull().default([]),
    /** The grant that holds the tokens; the attachment is pending until completed. */
    grantId: id<GrantId>(),
    accountId: text(),
    accountName: text(),
    accountUrl: text(),
    accountAliases: text().array().notNull().default([]),
    accountCurrency: text(),
    accountTestMode: boolean(),
    grantedScopes: text().array().notNull().default([]),
    createdAt: instant().notNull(),
    expiresAt: instant().notNull(),
    completedAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    index("authorizations_open").on(t.workspaceId, t.status, t.expiresAt),
    index("authorizations_end_user").on(t.workspaceId, t.tenantUid, t.endUserId, t.createdAt),
  ],
);
