/**
 * Patchbay for Node: connect sessions, records, events and verified webhooks.
 *
 * @module
 */
export { ApiPromise, type ApiResponse } from "./api-promise.ts";
export { Patchbay, type PatchbayOptions } from "./client.ts";
export {
  ApiAbortError,
  ApiConnectionError,
  ApiError,
  ApiTimeoutError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  NotFoundError,
  PatchbayError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
  UnprocessableError,
  WebhookVerificationError,
  type WebhookRefusal,
} from "./errors.ts";
export type { EventStream, StreamEventsParams } from "./event-stream.ts";
export type { EventTail, TailParams } from "./event-tail.ts";
export type { EventDataOf, EventOf, EventType, PatchbayEvent, RecordChange, RecordRef } from "./events.ts";
export { ListPage, type ListParams, PagePromise } from "./pagination.ts";
export type { ApiKeys, DeleteApiKeyParams } from "./resources/api-keys.ts";
export type { Audit, ExportAuditParams, ListAuditParams } from "./resources/audit.ts";
export type { ConnectSessions } from "./resources/connect-sessions.ts";
export type { Connections, ListConnectionsParams } from "./resources/connections.ts";
export type { Deliveries, ListDeadLettersParams, ListDeliveriesParams } from "./resources/deliveries.ts";
export type { Erasures } from "./resources/erasures.ts";
export type { Events, ListEventsParams } from "./resources/events.ts";
export type { Inbox, ListInboxParams } from "./resources/inbox.ts";
export type { Providers } from "./resources/providers.ts";
export type { ExportRecordsParams, ListRecordsParams, Records, RetrieveRecordParams } from "./resources/records.ts";
export type { ListRunsParams, Runs, TriggerRunParams } from "./resources/runs.ts";
export type { Tenants, UpsertTenantParams } from "./resources/tenants.ts";
export type { WebhookEndpoints } from "./resources/webhook-endpoints.ts";
export type { TenantScope } from "./tenant-scope.ts";
export type { RequestOptions } from "./transport.ts";
export { VERSION } from "./version.ts";
export type { HeadersLike, SignedEvent, VerifyOptions, Webhooks } from "./webhooks.ts";
export type {
  Account,
  Address,
  AnyRecord,
  ApiKey,
  ApiKeyWithSecret,
  Attempt,
  AuditCheckpoint,
  AuditEntry,
  AuthorizationEventData,
  BaseRecord,
  CapabilityReason,
  Connection,
  ConnectionCapabilities,
  ConnectionEventData,
  ConnectionRun,
  ConnectionStatus,
  ConnectionTest,
  ConnectSession,
  CreateApiKey,
  CreateConnectSession,
  CreateReauthorizeSession,
  CreateWebhookEndpoint,
  Customer,
  CustomField,
  Delivery,
  DeliveryReplay,
  DeliveryReplayFilter,
  DeliveryReplayPreview,
  EndpointEventData,
  EndpointSnapshot,
  Erasure,
  ErasureRemainder,
  ErrorCode,
  EventPayload,
  EventTypeInfo,
  EventTypeList,
  ExportConnection,
  ExportedConnection,
  ExportedCredentials,
  FieldProblem,
  ImportConnection,
  ImportedTokens,
  InboxElement,
  InboxEntry,
  InboxFilter,
  InboxItem,
  InboxRaw,
  InboxReplay,
  InboxReplayPreview,
  InboxStatus,
  ModelCapability,
  ModelName,
  Order,
  OrderLine,
  Page,
  Permission,
  PrivacyEventData,
  Product,
  Provider,
  AppWebhookAddress,
  ProviderApp,
  PutProviderApp,
  RecipientKey,
  RecordOf,
  Refund,
  ReplayDeliveries,
  ReplayInbox,
  RotateSecret,
  Run,
  RunEventData,
  RunModel,
  RunStatus,
  SignWith,
  Tenant,
  TestWebhookEndpoint,
  TriggeredRun,
  TriggerRun,
  UpdateWebhookEndpoint,
  Variant,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
} from "@patchbay/shared";
