import type { EventType } from "@patchbay/shared";
import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "../../harness/wait-for.ts";
import type { EventSource, Tenant } from "../kit/event-source.ts";
import { figuresOf, type Figures } from "../kit/figures.ts";
import type { WholeStage } from "../kit/whole-stage.ts";

/** How soon a tenant's events reach the host. */
export interface Watched {
  /** From when an event was due to its verified delivery. */
  readonly times: Figures;
  readonly broken: readonly string[];
}

const ARRIVAL_MS_MAX = 60_000;

/** Appends a tenant's events on schedule and follows each to the host. */
export async function watchTenant(
  { sink }: WholeStage,
  input: {
    readonly source: EventSource;
    readonly tenant: Tenant;
    readonly type: EventType;
    readonly rate: number;
    readonly seconds: number;
  },
): Promise<Watched> {
  const { source, tenant, type, rate, seconds } = input;
  await sink.take();
  const startMs = performance.now();
  const due = new Map<string, number>();
  const appending: Promise<void>[] = [];
  for (let i = 0; i < rate * seconds; i++) {
    const dueMs = startMs + (i * 1_000) / rate;
    await delay(Math.max(0, dueMs - performance.now()));
    const append = async () => {
      for (const id of await source.append(tenant, type, 1)) due.set(id, performance.timeOrigin + dueMs);
    };
    appending.push(append());
  }
  await Promise.all(appending);
  const arrived = async () => {
    const seen = new Map((await sink.look()).toReversed().map(({ eventId, atMs }) => [eventId, atMs]));
    return [...due.keys()].every((id) => seen.has(id)) ? seen : null;
  };
  await waitFor(arrived, { timeoutMs: ARRIVAL_MS_MAX, intervalMs: 100, what: "all events" }).catch(() => null);
  const seen = new Map((await sink.take()).toReversed().map(({ eventId, atMs }) => [eventId, atMs]));
  const times = [...due].flatMap(([id, dueMs]) => {
    const atMs = seen.get(id);
    return atMs === undefined ? [] : [atMs - dueMs];
  });
  const lost = due.size - times.length;
  return { times: figuresOf(times), broken: lost === 0 ? [] : [`${lost} of ${due.size} events were not delivered`] };
}
