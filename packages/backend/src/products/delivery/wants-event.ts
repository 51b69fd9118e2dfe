import type { EventType, ModelName, TenantUid } from "@patchbay/shared";

/** Which events an endpoint asked for: those that pass every filter. `null` passes all, an empty list nothing. */
export interface EventFilter {
  /** Exact types or `<model>.*`. */
  readonly types: readonly string[] | null;
  /** Record events of these models only; others pass. */
  readonly models: readonly ModelName[] | null;
  /** Events of these tenants only: none that concern the whole workspace. */
  readonly tenantUids: readonly TenantUid[] | null;
  /** Events of connections to these providers only: none that concern no connection. */
  readonly providers: readonly string[] | null;
}

interface FilteredEvent {
  readonly type: EventType;
  readonly model: ModelName | null;
  readonly tenantUid: TenantUid;
  /** Of its connection. */
  readonly provider: string | null;
}

/** Made for one endpoint, which `sendTest` names itself: never fanned out. */
const ADDRESSED_TYPE: EventType = "endpoint.test";

export function wantsEvent(filter: EventFilter, event: FilteredEvent): boolean {
  const { types, models, tenantUids, providers } = filter;
  if (event.type === ADDRESSED_TYPE) return false;
  if (event.model !== null && models !== null && !models.includes(event.model)) return false;
  if (tenantUids !== null && !tenantUids.includes(event.tenantUid)) return false;
  if (providers !== null && (event.provider === null || !providers.includes(event.provider))) return false;
  if (types === null) return true;
  const family = `${event.type.slice(0, event.type.indexOf("."))}.*`;
  return types.includes(event.type) || types.includes(family);
}
