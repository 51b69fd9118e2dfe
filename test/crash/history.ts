/** What happened, as plain facts: collected from the database, the receivers and the store after everything is at rest. */
export interface History {
  /** Webhook ids that the inbox answered 2xx. */
  readonly accepted: readonly string[];
  /** Webhook ids that stand in the inbox. */
  readonly stored: readonly string[];
  /** What still waits, by the name of its queue. */
  readonly waiting: Readonly<Record<string, number>>;
  readonly records: readonly RecordFact[];
  /** Every object that the store has now. */
  readonly store: readonly StoreFact[];
  readonly events: readonly EventFact[];
  readonly endpoints: readonly EndpointFact[];
  readonly erasedTenants: readonly ErasedTenant[];
  readonly receipts: readonly Receipt[];
  /** Writes that an onlooker in the database saw from a process that did not hold the lane it wrote for. */
  readonly staleWrites: readonly string[];
  /** From the end of the last fault until nothing waited anywhere; `null`: it never came to rest. */
  readonly drainedMs: number | null;
  /** Processes killed or cut off, and attempts that one of them may have had under way. */
  readonly kills: number;
  readonly inFlightMax: number;
}

export interface RecordFact {
  readonly id: string;
  /** The host's own id of the tenant, here and in all that follows. */
  readonly tenant: string;
  readonly model: string;
  readonly remoteId: string;
  readonly version: number;
  /** The version that the first import left: up to it nothing need be told. 0: it came later. */
  readonly importedVersion: number;
  readonly deleted: boolean;
  /** What {@link StoreFact.content} is compared with; `null` for models that are not compared. */
  readonly content: string | null;
}

export interface StoreFact {
  readonly tenant: string;
  readonly model: string;
  readonly remoteId: string;
  readonly content: string;
}

export interface EventFact {
  readonly id: string;
  /** `null`: not in the feed. */
  readonly position: number | null;
  readonly recordId: string | null;
  readonly recordVersion: number | null;
}

export interface EndpointFact {
  readonly id: string;
  /** Events up to this position are not for it. */
  readonly sincePosition: number;
  /** An attempt failed, in the product's eyes; the receiver may never have seen it. */
  readonly everFailed: boolean;
  /** Milliseconds since the epoch. */
  readonly deletedAtMs: number | null;
}

export interface ErasedTenant {
  readonly tenant: string;
  readonly erasedAtMs: number;
}

/** One delivery as it came in at a receiver; `ok`: it answered 2xx. */
export interface Receipt {
  readonly endpointId: string;
  readonly eventId: string;
  /** As its body says; `null` for what concerns the workspace as a whole. */
  readonly tenant: string | null;
  /** What it tells, as its body says; `null` when it is not about a record. */
  readonly effect: string | null;
  readonly atMs: number;
  readonly ok: boolean;
  readonly bodyHash: string;
}
