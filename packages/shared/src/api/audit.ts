import { z } from "zod";
import { pageQuery } from "../pagination.ts";
import { tenantId } from "./tenants.ts";

export const AUDIT_ACTOR_KINDS = ["api_key", "operator", "end_user", "provider", "system"] as const;
/** Who did something. `provider`: the provider or its user, over there. `system`: Patchbay by itself. */
export type AuditActorKind = (typeof AUDIT_ACTOR_KINDS)[number];

export const AUDIT_KINDS = ["attempt", "outcome", "fact"] as const;
/**
 * `attempt`: somebody is about to do it; written before anything happens. `outcome`: how that went, under the same
 * `requestId`. `fact`: it happened, without a request of the API.
 */
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** What an entry may say beyond its fields: codes, ids and numbers. */
export type AuditDetails = Readonly<Record<string, string | number | boolean | null>>;

/**
 * One entry of a workspace's audit log. Ids and codes only: no names, no secrets, nothing that a provider sent.
 *
 * `hash` is SHA-256 over the hash of the entry before (32 zero bytes for the first) and the RFC 8785 form of this
 * object without `hash`.
 */
export interface AuditEntry {
  /** `ws_…` */
  readonly workspaceId: string;
  /** 1, 2, 3 … without a gap. */
  readonly sequence: number;
  readonly recordedAt: string;
  readonly kind: AuditKind;
  /** `connection.pause`, `api_key.rotate` … */
  readonly action: string;
  /** `id`: an API key's `key_…`, an end user's `usr_…`; `null` for the operator, providers and Patchbay itself. */
  readonly actor: { readonly kind: AuditActorKind; readonly id: string | null };
  /** What it was done to; `id` is `null` when it was not known yet. */
  readonly target: { readonly type: string; readonly id: string | null };
  /** `ten_…`, one per incarnation of a tenant; it stays when the tenant is erased and then leads nowhere. */
  readonly tenantRef: string | null;
  /** Also in the answer's `x-request-id` and in the server's log. */
  readonly requestId: string | null;
  /** Whole for API keys and operators; for end users the network only (/24, /48). */
  readonly clientAddress: string | null;
  readonly details: AuditDetails;
  /** base64url, 43 characters. */
  readonly hash: string;
}
export const AuditEntry: z.ZodType<AuditEntry> = z
  .strictObject({
    workspaceId: z.string(),
    sequence: z.int().min(1),
    recordedAt: z.iso.datetime(),
    kind: z.enum(AUDIT_KINDS),
    action: z.string(),
    actor: z.strictObject({ kind: z.enum(AUDIT_ACTOR_KINDS), id: z.string().nullable() }),
    target: z.strictObject({ type: z.string(), id: z.string().nullable() }),
    tenantRef: z.string().nullable(),
    requestId: z.string().nullable(),
    clientAddress: z.string().nullable(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    hash: z.string(),
  })
  .meta({ id: "AuditEntry" });

/**
 * A signed statement of how a workspace's log stood: what was exported once cannot be taken back.
 *
 * `signature` is Ed25519 over `patchbay.audit.checkpoint.v1`, a line feed, and the RFC 8785 form of this object
 * without `signature`.
 */
export interface AuditCheckpoint {
  readonly workspaceId: string;
  /** The last entry that it vouches for, and thereby for all before. */
  readonly sequence: number;
  /** That entry's. */
  readonly hash: string;
  readonly recordedAt: string;
  /** SubjectPublicKeyInfo, base64. Note it when you first see it: a forger would bring a key along. */
  readonly publicKey: string;
  /** base64url. */
  readonly signature: string;
}
export const AuditCheckpoint: z.ZodType<AuditCheckpoint> = z
  .strictObject({
    workspaceId: z.string(),
    sequence: z.int().min(1),
    hash: z.string(),
    recordedAt: z.iso.datetime(),
    publicKey: z.string(),
    signature: z.string(),
  })
  .meta({ id: "AuditCheckpoint" });

const text = z.string().min(1).max(200);

/** `GET /v1/audit`: all that are given must fit. */
export const ListAuditQuery = z.strictObject({
  ...pageQuery,
  action: text.optional(),
  kind: z.enum(AUDIT_KINDS).optional(),
  actorKind: z.enum(AUDIT_ACTOR_KINDS).optional(),
  actorId: text.optional(),
  /** Your own id of a person; needs `tenantId`. */
  endUserId: z.string().min(1).max(128).optional(),
  targetId: text.optional(),
  tenantId: tenantId.optional(),
  /** Also of a tenant that was erased. */
  tenantRef: text.optional(),
  requestId: text.optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
});

/** `afterSequence`: of the last entry that you have. */
export const ExportAuditQuery = z.strictObject({ afterSequence: z.coerce.number().int().min(0).default(0) });
