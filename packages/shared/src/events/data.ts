import { z } from "zod";
import { AUTHORIZATION_STATUSES, type AuthorizationStatus } from "../api/connect.ts";
import { Connection } from "../api/connections.ts";
import { Run } from "../api/runs.ts";
import { EndpointSnapshot } from "../api/webhook-endpoints.ts";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";
import { RECORD_SCHEMAS, type RecordOf } from "../models/records.ts";
import type {
  AuthorizationEventType,
  ConnectionEventType,
  EndpointEventType,
  EventType,
  PrivacyEventType,
  RunEventType,
} from "./types.ts";

/** Data of `<model>.created|updated|deleted`. */
export interface RecordChange<M extends ModelName = ModelName> {
  /**
   * The record after the change; of a deleted one, its last state.
   *
   * `null` in thin events, and where the event would be larger than 256 KiB: read the record then, by `ref`.
   */
  readonly object: RecordOf[M] | null;
  /** Which version of which record this is about. */
  readonly ref: RecordRef<M>;
  /** Names of the fields that changed, without `remoteUpdatedAt`; empty when created or deleted. */
  readonly changedFields: readonly string[];
  /** Former values of `changedFields`; empty where `object` is `null`. */
  readonly previous: Partial<RecordOf[M]>;
  /** `write`: an echo of your own write-back. */
  readonly origin: "provider" | "write";
  /** The event was too large to carry the record, although it was asked for. */
  readonly truncated: boolean;
}

/** Names one version of a record. */
export interface RecordRef<M extends ModelName = ModelName> {
  readonly object: M;
  readonly id: string;
  /** The provider's own id. */
  readonly remoteId: string;
  /** What you read at `url` has this version or a higher one. */
  readonly version: number;
  /** The record's place in the tenant's changes. */
  readonly changeSeq: string;
  /** Where the record is read, relative to the API: `/v1/tenants/acme/records/order/ord_…`. */
  readonly url: string;
}

/** Data of `connection.*`: the connection as it became. */
export interface ConnectionEventData {
  readonly connection: Connection;
}
/** Data of `run.*`: the run as it stood. */
export interface RunEventData {
  readonly run: Run;
}
/** Data of `endpoint.*`: the endpoint as it became. */
export interface EndpointEventData {
  readonly endpoint: EndpointSnapshot;
}
/** Data of `authorization.*`: one try of an end user, ended. */
export interface AuthorizationEventData {
  readonly authorization: {
    /** `auth_…` */
    readonly id: string;
    readonly provider: string;
    readonly status: AuthorizationStatus;
    /** A stable code when failed, such as `access_denied`. */
    readonly error: string | null;
    /** Who tried, as your backend named them. */
    readonly endUserId: string;
    /** Scopes that the person did not give, when `error` is `missing_scopes`. */
    readonly missingScopes: readonly string[];
    /** The connection that the new one took the place of: the repair led to another account. */
    readonly replacedConnectionId: string | null;
  };
}
/** Data of `privacy.redactRequested`: somebody's data is to be deleted from your systems as well. */
export interface PrivacyEventData {
  /** Whose: one customer's, or all of the account. */
  readonly request: "redact_customer" | "redact_account";
  readonly provider: string;
  /** The provider's request, word for word: `GET /v1/inbox/{id}`. */
  readonly inboxId: string;
}

/** The data of an event of type `T`. */
export type EventDataOf<T extends EventType> = T extends ConnectionEventType
  ? ConnectionEventData
  : T extends AuthorizationEventType
    ? AuthorizationEventData
    : T extends RunEventType
      ? RunEventData
      : T extends EndpointEventType
        ? EndpointEventData
        : T extends PrivacyEventType
          ? PrivacyEventData
          : T extends `${infer M extends ModelName}.${string}`
            ? RecordChange<M>
            : never;

export const ConnectionEventData: z.ZodType<ConnectionEventData> = z
  .strictObject({ connection: Connection })
  .meta({ id: "ConnectionEventData" });
export const RunEventData: z.ZodType<RunEventData> = z.strictObject({ run: Run }).meta({ id: "RunEventData" });
export const EndpointEventData: z.ZodType<EndpointEventData> = z
  .strictObject({ endpoint: EndpointSnapshot })
  .meta({ id: "EndpointEventData" });
export const AuthorizationEventData: z.ZodType<AuthorizationEventData> = z
  .strictObject({
    authorization: z.strictObject({
      id: z.string(),
      provider: z.string(),
      status: z.enum(AUTHORIZATION_STATUSES),
      error: z.string().nullable(),
      endUserId: z.string(),
      missingScopes: z.array(z.string()),
      replacedConnectionId: z.string().nullable(),
    }),
  })
  .meta({ id: "AuthorizationEventData" });
export const PrivacyEventData: z.ZodType<PrivacyEventData> = z
  .strictObject({
    request: z.enum(["redact_customer", "redact_account"]),
    provider: z.string(),
    inboxId: z.string(),
  })
  .meta({ id: "PrivacyEventData" });

export const RECORD_CHANGES = Object.fromEntries(MODEL_NAMES.map((model) => [model, recordChange(model)])) as {
  readonly [M in ModelName]: z.ZodType<RecordChange<M>>;
};

function recordChange<M extends ModelName>(model: M): z.ZodType<RecordChange<M>> {
  const schema: z.ZodType = z.strictObject({
    object: RECORD_SCHEMAS[model].nullable(),
    ref: z.strictObject({
      object: z.literal(model),
      id: z.string(),
      remoteId: z.string(),
      version: z.int().min(1),
      changeSeq: z.string(),
      url: z.string(),
    }),
    changedFields: z.array(z.string()),
    previous: z.record(z.string(), z.unknown()),
    origin: z.enum(["provider", "write"]),
    truncated: z.boolean(),
  });
  // The names above are the interface's; zod cannot follow the model through a type parameter.
  return schema.meta({ id: `${model.charAt(0).toUpperCase()}${model.slice(1)}Change` }) as z.ZodType<RecordChange<M>>;
}
