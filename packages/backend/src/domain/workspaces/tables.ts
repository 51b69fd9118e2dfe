import type { ApiKeyId, ProviderAppId, Scope, TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import type { SigningAlgorithm } from "../../connectors/index.ts";
import { bytea, id, instant } from "../../platform/db/columns.ts";

export const workspaces = pgTable("workspaces", {
  id: id<WorkspaceId>().primaryKey(),
  name: text().notNull(),
  mode: text().$type<"live" | "test">().notNull(),
  /** Exact URLs that redirect mode may return to. */
  returnUrls: text().array().notNull().default([]),
  createdAt: instant().notNull(),
});

export const apiKeys = pgTable(
  "api_keys",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<ApiKeyId>().notNull(),
    /** The public part of the key, by which it is looked up. */
    publicId: text().notNull(),
    /** SHA-256 of the whole key but its checksum. */
    secretHash: bytea().notNull(),
    /** Of the secret before the last rotation, good until `previousSecretUntil`. */
    previousSecretHash: bytea(),
    previousSecretUntil: instant(),
    name: text().notNull(),
    scopes: text().array().$type<Scope[]>().notNull(),
    /** Addresses and networks that it may be used from; empty: anywhere. */
    allowedNetworks: text().array().notNull().default([]),
    expiresAt: instant(),
    revokedAt: instant(),
    lastUsedAt: instant(),
    createdAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("api_keys_public_id").on(t.workspaceId, t.publicId),
  ],
);

export const tenants = pgTable(
  "tenants",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    uid: id<TenantUid>().notNull(),
    /** The host's own id. It stands nowhere else. */
    externalId: text().notNull(),
    name: text(),
    metadata: jsonb().$type<Record<string, string>>().notNull().default({}),
    createdAt: instant().notNull(),
    updatedAt: instant().notNull(),
    /** Set when erased: the row stays as a tombstone of this incarnation, the name and id are gone. */
    erasedAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.uid] }),
    uniqueIndex("tenants_external_id")
      .on(t.workspaceId, t.externalId)
      .where(sql`erased_at is null`),
  ],
);

/** The workspace's registration at a provider. */
export const providerApps = pgTable(
  "provider_apps",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<ProviderAppId>().notNull(),
    provider: text().notNull(),
    clientId: text().notNull(),
    /** Sealed. */
    clientSecret: bytea().notNull(),
    /** Sealed, still accepted for deliveries until `previousSecretUntil`. */
    previousClientSecret: bytea(),
    previousSecretUntil: instant(),
    /** PEM, with its chain; shown where a provider wants `tls_client_auth`. */
    clientCertificate: text(),
    /** Sealed. */
    clientCertificateKey: bytea(),
    baseUrlOverride: text(),
    rowVersion: integer().notNull().default(1),
    createdAt: instant().notNull(),
    updatedAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("provider_apps_provider").on(t.workspaceId, t.provider),
  ],
);

/** Keys that an app signs its client assertions with: the one that signs, and the next or the last beside it. */
export const providerAppKeys = pgTable(
  "provider_app_keys",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    /** The `kid`. */
    id: uuid().notNull(),
    providerAppId: id<ProviderAppId>().notNull(),
    algorithm: text().$type<SigningAlgorithm>().notNull(),
    /** Sealed PKCS #8. */
    privateKey: bytea().notNull(),
    publicJwk: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Published before it signs, since providers keep our keys in a cache. */
    usableFrom: instant().notNull(),
    createdAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    index("provider_app_keys_app").on(t.workspaceId, t.providerAppId, t.createdAt),
    foreignKey({
      columns: [t.workspaceId, t.providerAppId],
      foreignColumns: [providerApps.workspaceId, providerApps.id],
    }),
  ],
);

/** Answers to requests that carried an `Idempotency-Key`. */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    key: text().notNull(),
    /** SHA-256 of method, path and body. */
    requestHash: bytea().notNull(),
    /** `null` while in flight. */
    status: integer(),
    /** Sealed. */
    response: bytea(),
    createdAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.key] }),
    index("idempotency_keys_created_at").on(t.workspaceId, t.createdAt),
  ],
);
