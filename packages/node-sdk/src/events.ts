export type { EventDataOf, EventOf, EventType, PatchbayEvent, RecordChange, RecordRef } from "@patchbay/shared";
