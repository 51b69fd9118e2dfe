export { EVENT_CATALOGUE, EventTypeInfo, EventTypeList, PatchbayEvent, type EventTypeEntry } from "./catalogue.ts";
export type {
  AuthorizationEventData,
  ConnectionEventData,
  EndpointEventData,
  EventDataOf,
  PrivacyEventData,
  RecordChange,
  RecordRef,
  RunEventData,
} from "./data.ts";
export { ListEventsQuery, StreamEventsQuery, type EventOf } from "./envelope.ts";
export * from "./types.ts";
