import type { EventFact, History, RecordFact, StoreFact } from "./history.ts";

export type Rule =
  | "accepted is stored"
  | "nothing waits"
  | "one record per object"
  | "records are the store's"
  | "every version told once"
  | "positions without gaps"
  | "every event delivered"
  | "first deliveries in order"
  | "one body per event"
  | "effects happen once"
  | "nothing to the deleted"
  | "few duplicates"
  | "drained in time"
  | "no stale write";

export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
}

/** An attempt that was under way when its endpoint was deleted may still arrive. */
const DELETION_GRACE_MS = 2_000;
/** After the last fault. */
const DRAIN_MS_MAX = 60_000;

/** Everything in a history that the product promises not to happen; empty when it kept its promises. Pure. */
export function checkHistory(history: History): readonly Violation[] {
  return [
    ...acceptedIsStored(history),
    ...nothingWaits(history),
    ...oneRecordPerObject(history),
    ...recordsAreTheStores(history),
    ...everyVersionToldOnce(history),
    ...positionsWithoutGaps(history),
    ...everyEventDelivered(history),
    ...firstDeliveriesInOrder(history),
    ...oneBodyPerEvent(history),
    ...effectsHappenOnce(history),
    ...nothingToTheDeleted(history),
    ...fewDuplicates(history),
    ...drainedInTime(history),
    ...noStaleWrite(history),
  ];
}

function acceptedIsStored({ accepted, stored }: History): readonly Violation[] {
  const kept = new Set(stored);
  return accepted
    .filter((id) => !kept.has(id))
    .map((id) => violation("accepted is stored", `webhook ${id} was answered 2xx and is nowhere`));
}

function nothingWaits({ waiting }: History): readonly Violation[] {
  return Object.entries(waiting)
    .filter(([, count]) => count > 0)
    .map(([queue, count]) => violation("nothing waits", `${count} left in ${queue}`));
}

function oneRecordPerObject({ records }: History): readonly Violation[] {
  return [...Map.groupBy(records, nameOf)]
    .filter(([, copies]) => copies.length > 1)
    .map(([name, copies]) => violation("one record per object", `${name} has ${copies.length} records`));
}

function recordsAreTheStores({ records, store }: History): readonly Violation[] {
  const live = new Map(records.filter((record) => !record.deleted).map((record) => [nameOf(record), record]));
  const objects = new Map(store.map((object) => [nameOf(object), object]));
  const compared = new Set(store.map((object) => `${object.tenant} ${object.model}`));
  const wrong = [...objects].flatMap(([name, object]) => {
    const record = live.get(name);
    if (record === undefined) return [`${name} is in the store alone`];
    return record.content === object.content ? [] : [`${name} is ${record.content}, in the store ${object.content}`];
  });
  const extra = [...live]
    .filter(([name, record]) => compared.has(`${record.tenant} ${record.model}`) && !objects.has(name))
    .map(([name]) => `${name} is no more in the store`);
  return [...wrong, ...extra].map((detail) => violation("records are the store's", detail));
}

/** What a first import found need not be told; every later version is, and from the first told one on, all are. */
function everyVersionToldOnce({ events, records }: History): readonly Violation[] {
  const told = versionsByRecord(events);
  return records.flatMap(({ id, version: last, importedVersion }) => {
    const versions = (told.get(id) ?? []).toSorted((a, b) => a - b);
    const first = Math.min(versions[0] ?? Infinity, importedVersion + 1);
    const expected = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
    if (versions.join() === expected.join()) return [];
    const detail = `of ${id}, versions ${expected.join()} were to be told; told were ${versions.join() || "none"}`;
    return [violation("every version told once", detail)];
  });
}

/** An erasure takes events out of the middle, and leaves gaps on purpose. */
function positionsWithoutGaps({ events, erasedTenants }: History): readonly Violation[] {
  const positions = events.map((event) => event.position).toSorted((a, b) => (a ?? 0) - (b ?? 0));
  if (erasedTenants.length > 0) {
    return positions
      .filter((position, index) => position === null || position === positions[index - 1])
      .map((position) => violation("positions without gaps", `position ${position} is nobody's, or two events'`));
  }
  return positions.flatMap((position, index) =>
    position === index + 1
      ? []
      : [violation("positions without gaps", `place ${index + 1} of the feed has position ${position}`)],
  );
}

function everyEventDelivered({ events, endpoints, receipts }: History): readonly Violation[] {
  const taken = new Set(receipts.filter((receipt) => receipt.ok).map(pairOf));
  return endpoints
    .filter((endpoint) => endpoint.deletedAtMs === null)
    .flatMap((endpoint) =>
      events
        .filter((event) => event.position !== null && event.position > endpoint.sincePosition)
        .filter((event) => !taken.has(pairOf({ endpointId: endpoint.id, eventId: event.id })))
        .map((event) => violation("every event delivered", `${endpoint.id} never took ${event.id}`)),
    );
}

/** Of one record, where the endpoint took every delivery at the first try: retries may overtake each other. */
function firstDeliveriesInOrder({ events, endpoints, receipts }: History): readonly Violation[] {
  const byId = new Map(events.map((event) => [event.id, event]));
  const failed = new Set(endpoints.filter(({ everFailed }) => everFailed).map(({ id }) => id));
  const last = new Map<string, number>();
  const seen = new Set<string>();
  const violations: Violation[] = [];
  for (const receipt of receipts.toSorted((a, b) => a.atMs - b.atMs)) {
    const event = byId.get(receipt.eventId);
    if (failed.has(receipt.endpointId) || seen.has(pairOf(receipt)) || !event?.recordId) continue;
    seen.add(pairOf(receipt));
    const key = `${receipt.endpointId} ${event.recordId}`;
    const version = event.recordVersion ?? 0;
    const before = last.get(key) ?? 0;
    if (version < before) {
      violations.push(
        violation("first deliveries in order", `${key} got version ${version} only after version ${before}`),
      );
    }
    last.set(key, Math.max(before, version));
  }
  return violations;
}

function oneBodyPerEvent({ receipts }: History): readonly Violation[] {
  return [...Map.groupBy(receipts, (receipt) => receipt.eventId)]
    .filter(([, copies]) => new Set(copies.map((copy) => copy.bodyHash)).size > 1)
    .map(([eventId]) => violation("one body per event", `${eventId} came with different bodies`));
}

/** What a host does that drops event ids it has seen: no version of a record may reach it under two of them. */
function effectsHappenOnce({ receipts }: History): readonly Violation[] {
  const told = receipts.filter((receipt) => receipt.ok && receipt.effect !== null);
  return [...Map.groupBy(told, ({ endpointId, effect }) => `${effect} at ${endpointId}`)]
    .filter(([, copies]) => new Set(copies.map((copy) => copy.eventId)).size > 1)
    .map(([name, copies]) =>
      violation("effects happen once", `${name} came as ${new Set(copies.map((copy) => copy.eventId)).size} events`),
    );
}

function nothingToTheDeleted({ endpoints, erasedTenants, receipts }: History): readonly Violation[] {
  const deleted = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint.deletedAtMs]));
  const erased = new Map(erasedTenants.map(({ tenant, erasedAtMs }) => [tenant, erasedAtMs]));
  return receipts.flatMap(({ endpointId, tenant, eventId, atMs }) =>
    [
      { what: endpointId, sinceMs: deleted.get(endpointId) ?? null },
      { what: `tenant ${tenant}`, sinceMs: (tenant === null ? null : erased.get(tenant)) ?? null },
    ].flatMap(({ what, sinceMs }) => {
      if (sinceMs === null || atMs <= sinceMs + DELETION_GRACE_MS) return [];
      const detail = `${eventId} came to or of ${what} ${atMs - sinceMs} ms after its deletion`;
      return [violation("nothing to the deleted", detail)];
    }),
  );
}

function fewDuplicates({ receipts, kills, inFlightMax }: History): readonly Violation[] {
  const taken = receipts.filter((receipt) => receipt.ok);
  const duplicates = taken.length - new Set(taken.map(pairOf)).size;
  if (duplicates <= kills * inFlightMax) return [];
  return [violation("few duplicates", `${duplicates} after ${kills} kills with ${inFlightMax} in flight`)];
}

function drainedInTime({ drainedMs }: History): readonly Violation[] {
  if (drainedMs !== null && drainedMs <= DRAIN_MS_MAX) return [];
  return [violation("drained in time", drainedMs === null ? "it never came to rest" : `it took ${drainedMs} ms`)];
}

function noStaleWrite({ staleWrites }: History): readonly Violation[] {
  return staleWrites.map((detail) => violation("no stale write", detail));
}

function versionsByRecord(events: readonly EventFact[]): ReadonlyMap<string, readonly number[]> {
  const versions = new Map<string, number[]>();
  for (const { recordId, recordVersion } of events) {
    if (recordId === null) continue;
    const list = versions.get(recordId) ?? [];
    list.push(recordVersion ?? 0);
    versions.set(recordId, list);
  }
  return versions;
}

function nameOf({ tenant, model, remoteId }: StoreFact | RecordFact): string {
  return `${tenant} ${model} ${remoteId}`;
}

function pairOf({ endpointId, eventId }: { readonly endpointId: string; readonly eventId: string }): string {
  return `${endpointId} ${eventId}`;
}

function violation(rule: Rule, detail: string): Violation {
  return { rule, detail };
}
