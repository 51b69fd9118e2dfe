import type { AuditActorKind, AuditDetails, AuditKind, DataKeyId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { bigint, foreignKey, index, jsonb, pgTable, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { bytea, id } from "../../platform/db/columns.ts";

/** No finer than what is hashed: a time changed by microseconds would go unseen otherwise. */
const milliseconds = () => timestamp({ withTimezone: true, mode: "date", precision: 3 });

/** What was done, in order. Never changed: nobody has the right, and a trigger refuses it to everyone. */
export const auditEntries = pgTable(
  "audit_entries",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    sequence: bigint({ mode: "number" }).notNull(),
    recordedAt: milliseconds().notNull(),
    kind: text().$type<AuditKind>().notNull(),
    action: text().notNull(),
    actorKind: text().$type<AuditActorKind>().notNull(),
    actorId: text(),
    targetType: text().notNull(),
    targetId: text(),
    tenantUid: id<TenantUid>(),
    requestId: text(),
    clientAddress: text(),
    details: jsonb().$type<AuditDetails>().notNull(),
    /** Binds this entry and all before it; anybody can compute it. */
    hash: bytea().notNull(),
    /** HMAC of `hash` under the workspace's audit key: who can write rows cannot make it. */
    mac: bytea().notNull(),
    macKeyId: id<DataKeyId>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.sequence] }),
    index("audit_entries_recorded_at").on(t.workspaceId, t.recordedAt),
    index("audit_entries_action").on(t.workspaceId, t.action, t.sequence),
    index("audit_entries_actor").on(t.workspaceId, t.actorId, t.sequence),
    index("audit_entries_target").on(t.workspaceId, t.targetId, t.sequence),
    index("audit_entries_tenant").on(t.workspaceId, t.tenantUid, t.sequence),
  ],
);

/** The end of each chain: locked by whoever appends. */
export const auditHeads = pgTable("audit_heads", {
  workspaceId: id<WorkspaceId>().primaryKey(),
  sequence: bigint({ mode: "number" }).notNull(),
  hash: bytea().notNull(),
});

/** Ed25519. The newest signs. */
export const auditSigningKeys = pgTable(
  "audit_signing_keys",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: uuid().notNull(),
    /** SubjectPublicKeyInfo, DER. */
    publicKey: bytea().notNull(),
    /** PKCS #8, DER, sealed. */
    privateKey: bytea().notNull(),
    createdAt: milliseconds().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

/** Signed statements of how the chain stood. What an outsider has exported cannot be taken back. */
export const auditCheckpoints = pgTable(
  "audit_checkpoints",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    sequence: bigint({ mode: "number" }).notNull(),
    hash: bytea().notNull(),
    recordedAt: milliseconds().notNull(),
    signingKeyId: uuid().notNull(),
    signature: bytea().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.sequence] }),
    foreignKey({
      name: "audit_checkpoints_signing_key_fk",
      columns: [t.workspaceId, t.signingKeyId],
      foreignColumns: [auditSigningKeys.workspaceId, auditSigningKeys.id],
    }),
  ],
);
