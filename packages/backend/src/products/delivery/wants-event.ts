import type { EventType, ModelName } from "@patchbay/shared";

/** Which events an endpoint asked for. */
export interface EventFilter {
  /** Exact types or `<model>.*`; empty: all. */
  readonly types: readonly string[];
  /** Record events of these models only; empty: all. */
  readonly models: readonly ModelName[];
}

/** Made for one endpoint, which `sendTest` names itself: never fanned out. */
const ADDRESSED_TYPE: EventType = "endpoint.test";

export function wantsEvent(
  filter: EventFilter,
  event: { readonly type: EventType; readonly model: ModelName | null },
): boolean {
  if (event.type === ADDRESSED_TYPE) return false;
  if (event.model !== null && filter.models.length > 0 && !filter.models.includes(event.model)) return false;
  if (filter.types.length === 0) return true;
  const family = `${event.type.slice(0, event.type.indexOf("."))}.*`;
  return filter.types.includes(event.type) || filter.types.includes(family);
}
