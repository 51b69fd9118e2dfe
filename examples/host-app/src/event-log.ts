import type { PatchbayEvent } from "@patchbay/node";

const EVENTS_MAX = 300;

/** An event whose signature was right. */
export interface ReceivedEvent {
  readonly event: PatchbayEvent;
  readonly receivedAt: Date;
  /** From what happened to its arrival here. */
  readonly latencyMs: number;
  /** How often it came; more than once after a retry or a replay. */
  readonly copies: number;
}

/** The newest events, in memory: your product would act on them and keep what it needs. */
export class EventLog {
  readonly #received = new Map<string, ReceivedEvent>();
  readonly #listeners = new Set<(tenantId: string | null) => void>();
  readonly #closing = new Set<() => void>();
  #refused = 0;

  get refused(): number {
    return this.#refused;
  }

  /** Every event once, however often it comes. */
  add(event: PatchbayEvent, receivedAt: Date): void {
    const before = this.#received.get(event.id);
    const latencyMs = Math.max(0, receivedAt.getTime() - Date.parse(event.timestamp));
    const received = before ? { ...before, copies: before.copies + 1 } : { event, receivedAt, latencyMs, copies: 1 };
    this.#received.set(event.id, received);
    const [oldest] = this.#received.keys();
    if (this.#received.size > EVENTS_MAX && oldest !== undefined) this.#received.delete(oldest);
    this.#announce(event.tenantId);
  }

  /** A delivery that nobody should trust. */
  refuse(): void {
    this.#refused++;
    this.#announce(null);
  }

  /** Newest first. */
  list(tenantId?: string): ReceivedEvent[] {
    const all = [...this.#received.values()].toReversed();
    return tenantId === undefined ? all : all.filter(({ event }) => event.tenantId === tenantId);
  }

  /** @returns a function that stops listening */
  listen(onChange: (tenantId: string | null) => void, onClose: () => void): () => void {
    this.#listeners.add(onChange);
    this.#closing.add(onClose);
    return () => {
      this.#listeners.delete(onChange);
      this.#closing.delete(onClose);
    };
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Ends the live pages. */
  close(): void {
    for (const onClose of this.#closing) onClose();
  }

  #announce(tenantId: string | null): void {
    for (const onChange of this.#listeners) onChange(tenantId);
  }
}
