/** What the order of a batch depends on. */
export interface Orderable {
  /** UUIDv7. */
  readonly id: string;
  readonly recordId: string | null;
  readonly recordVersion: number | null;
}

/**
 * The order in which a batch of events is told: by id, that is by time, save that versions of one record never change
 * places, whatever the clocks of the processes that made them said. Its versions take the places that its events have.
 */
export function orderEvents<Event extends Orderable>(batch: readonly Event[]): readonly Event[] {
  const byTime = batch.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const versions = new Map<string, Event[]>();
  for (const event of byTime) {
    if (event.recordId === null) continue;
    const ofRecord = versions.get(event.recordId) ?? [];
    ofRecord.push(event);
    versions.set(event.recordId, ofRecord);
  }
  for (const ofRecord of versions.values()) ofRecord.sort((a, b) => (a.recordVersion ?? 0) - (b.recordVersion ?? 0));
  return byTime.map((event) => (event.recordId === null ? event : (versions.get(event.recordId)?.shift() ?? event)));
}
