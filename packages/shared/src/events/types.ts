import { MODEL_NAMES, type ModelName } from "../models/names.ts";

/** What can happen to a record. A record that comes back after its deletion is created again. */
export const RECORD_VERBS = ["created", "updated", "deleted"] as const;
export const CONNECTION_EVENT_TYPES = [
  "connection.activated",
  "connection.degraded",
  "connection.reauthorizationRequired",
  "connection.recovered",
  "connection.revoked",
  "connection.disconnected",
] as const;
export const AUTHORIZATION_EVENT_TYPES = [
  "authorization.completed",
  "authorization.failed",
  "authorization.expired",
] as const;
export const RUN_EVENT_TYPES = ["run.started", "run.progress", "run.completed", "run.partial", "run.failed"] as const;
export const ENDPOINT_EVENT_TYPES = [
  "endpoint.failing",
  "endpoint.recovered",
  "endpoint.disabled",
  "endpoint.test",
] as const;
export const PRIVACY_EVENT_TYPES = ["privacy.redactRequested"] as const;

export const OPERATIONAL_EVENT_TYPES = [
  ...CONNECTION_EVENT_TYPES,
  ...AUTHORIZATION_EVENT_TYPES,
  ...RUN_EVENT_TYPES,
  ...ENDPOINT_EVENT_TYPES,
  ...PRIVACY_EVENT_TYPES,
] as const;

export type RecordEventType = `${ModelName}.${(typeof RECORD_VERBS)[number]}`;
export type ConnectionEventType = (typeof CONNECTION_EVENT_TYPES)[number];
export type AuthorizationEventType = (typeof AUTHORIZATION_EVENT_TYPES)[number];
export type RunEventType = (typeof RUN_EVENT_TYPES)[number];
export type EndpointEventType = (typeof ENDPOINT_EVENT_TYPES)[number];
export type PrivacyEventType = (typeof PRIVACY_EVENT_TYPES)[number];
export type OperationalEventType = (typeof OPERATIONAL_EVENT_TYPES)[number];
export type EventType = RecordEventType | OperationalEventType;

/** Every type of event that Patchbay sends; see the catalogue for what each means and holds. */
export const EVENT_TYPES: readonly EventType[] = [
  ...MODEL_NAMES.flatMap((model) => RECORD_VERBS.map((verb) => `${model}.${verb}` as const)),
  ...OPERATIONAL_EVENT_TYPES,
];
