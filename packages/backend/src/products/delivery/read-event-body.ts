import type { EventId } from "@patchbay/shared";
import { eventPlace } from "../../domain/events/index.ts";
import { KeyDestroyedError, type Opener } from "../../domain/vault/index.ts";

/** The exact bytes of an event; `null` when its tenant was erased, and the key with it. */
export function readEventBody(
  open: Opener,
  event: { readonly id: EventId; readonly body: Uint8Array },
): Uint8Array | null {
  try {
    return open(eventPlace(event.id), event.body);
  } catch (error) {
    if (error instanceof KeyDestroyedError) return null;
    throw error;
  }
}
