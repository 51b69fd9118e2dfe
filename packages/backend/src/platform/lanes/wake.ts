import type { Database } from "../db/index.ts";
import type { Logger } from "../observability/index.ts";

export const WAKE_TOPICS = ["arrivals", "events", "lanes:connection", "lanes:delivery"] as const;
export type WakeTopic = (typeof WAKE_TOPICS)[number];

/** A hint that there is work. It may be lost: whoever waits for it polls as well. Poke after COMMIT, never before. */
export interface Wake {
  poke(topic: WakeTopic): void;
  /** @returns how to stop listening */
  on(topic: WakeTopic, listener: () => void): () => void;
  close(): Promise<void>;
}

const CHANNEL = "patchbay_wake";
/** One notification per topic and this long: NOTIFY takes a lock over the whole instance. */
const NOTIFY_EVERY_MS = 10;

/**
 * In-process at once; with `database`, other processes too, by NOTIFY outside every transaction, at most one per topic
 * and {@link NOTIFY_EVERY_MS}.
 */
export async function createWake(deps: { log: Logger; database: Database | null }): Promise<Wake> {
  const listeners = new Map<WakeTopic, Set<() => void>>(WAKE_TOPICS.map((topic) => [topic, new Set()]));
  const notifying = new Map<WakeTopic, NodeJS.Timeout>();
  const here = (topic: WakeTopic) => {
    for (const listener of listeners.get(topic) ?? []) listener();
  };
  const subscription = await deps.database?.listen(CHANNEL, (payload) => {
    const topic = WAKE_TOPICS.find((known) => known === payload);
    if (topic !== undefined) here(topic);
  });

  return {
    poke(topic) {
      here(topic);
      if (deps.database === null || notifying.has(topic)) return;
      const { database } = deps;
      notifying.set(
        topic,
        setTimeout(() => {
          notifying.delete(topic);
          database.notify(CHANNEL, topic).catch((error: unknown) => deps.log.warn({ error, topic }, "wake not sent"));
        }, NOTIFY_EVERY_MS),
      );
    },
    on(topic, listener) {
      listeners.get(topic)?.add(listener);
      return () => listeners.get(topic)?.delete(listener);
    },
    async close() {
      for (const timer of notifying.values()) clearTimeout(timer);
      await subscription?.close();
    },
  };
}
