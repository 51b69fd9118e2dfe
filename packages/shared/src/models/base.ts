import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "./names.ts";

/** Why a field is `null` although the provider may hold a value. */
export type UnavailableReason = "scope_missing" | "plan" | "protected_data" | "not_supported_by_provider" | "error";

/** A field of the provider that our model does not name. */
export interface CustomField {
  readonly type: string;
  readonly value: string | number | boolean | null | readonly string[];
  readonly label: string | null;
}

/** What a connector's `normalize` says of one object of the provider, apart from the model's own fields. */
export interface RemoteFacts {
  /** The provider's own id, verbatim. Unique within one account and model. */
  readonly remoteId: string;
  /** The provider's global id where it has one, such as `gid://shopify/Order/1`. */
  readonly remoteGid: string | null;
  /** Deep link into the provider's own pages. */
  readonly remoteUrl: string | null;
  /** RFC 3339, UTC. */
  readonly remoteCreatedAt: string | null;
  /** RFC 3339, UTC. `null` where the provider keeps no such time. */
  readonly remoteUpdatedAt: string | null;
  readonly testMode: boolean;
  readonly customFields: Readonly<Record<string, CustomField>>;
  /** Field name → why it is `null`. */
  readonly unavailableFields: Readonly<Record<string, UnavailableReason>>;
}

/** What every record carries besides the fields of its model. */
export interface BaseRecord extends RemoteFacts {
  /** Deterministic: the same object of the same account keeps it over re-connects and full re-syncs. */
  readonly id: string;
  readonly object: ModelName;
  readonly schemaVersion: string;
  /** The host's own id of its customer. */
  readonly tenantId: string;
  /** The connection that last wrote the record. */
  readonly connectionId: string;
  readonly provider: string;
  readonly providerAccountId: string;
  readonly remoteWasDeleted: boolean;
  readonly remoteDeletedAt: string | null;
  /** When we first saw it; our clock. */
  readonly firstSeenAt: string;
  /** Moves only when the content moved; our clock. */
  readonly changedAt: string;
  /** +1 per change of content. */
  readonly version: number;
  /** Decimal digits; rises with every change within the tenant. The read cursor. */
  readonly changeSeq: string;
  readonly contentHash: string;
  /** What the provider sent, only with `expand=raw`. */
  readonly raw?: unknown;
}

const CustomField: z.ZodType<CustomField> = z.strictObject({
  type: z.string(),
  value: z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]),
  label: z.string().nullable(),
});

/** Zod shapes to spread into a model's schema, so that each model lists its own fields only. */
export const remoteFactsShape = {
  remoteId: z.string().min(1),
  remoteGid: z.string().nullable(),
  remoteUrl: z.string().nullable(),
  remoteCreatedAt: z.iso.datetime().nullable(),
  remoteUpdatedAt: z.iso.datetime().nullable(),
  testMode: z.boolean(),
  customFields: z.record(z.string(), CustomField),
  unavailableFields: z.record(
    z.string(),
    z.enum(["scope_missing", "plan", "protected_data", "not_supported_by_provider", "error"]),
  ),
};

export const baseRecordShape = {
  ...remoteFactsShape,
  id: z.string(),
  object: z.enum(MODEL_NAMES),
  schemaVersion: z.string(),
  tenantId: z.string(),
  connectionId: z.string(),
  provider: z.string(),
  providerAccountId: z.string(),
  remoteWasDeleted: z.boolean(),
  remoteDeletedAt: z.iso.datetime().nullable(),
  firstSeenAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
  version: z.int().min(1),
  changeSeq: z.string(),
  contentHash: z.string(),
  raw: z.unknown().optional(),
};

/** The date of the models' shapes; changes of shape that can break a reader get a new one. */
export const SCHEMA_VERSION = "2026-11-01";
