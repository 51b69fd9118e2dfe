import type { Database } from "../db/index.ts";
import type { Logger } from "../observability/index.ts";

export const WAKE_TOPICS = [
  "arrivals",
  "events",
  "feed",
  "lanes:connection",
  "lanes:delivery",
  "lanes:erasure",
  "lanes:deliveryReplay",
  "lanes:inboxReplay",
] as const;
export type WakeTopic = (typeof WAKE_TOPICS)[number];

/** A hint that there is work. It may be lost: whoever waits for it polls as well. Poke after COMMIT, never before. */
export interface Wake {
  /** @param about an id, where listeners care for one thing of many; empty: everything */
  poke(topic: WakeTopic, about?: string): void;
  /** @returns how to stop listening */
  on(topic: WakeTopic, listener: (about: string) => void): () => void;
  close(): Promise<void>;
}

const CHANNEL = "patchbay_wake";
/** One notification per topic, what it is about, and this long: NOTIFY takes a lock over the whole instance. */
const NOTIFY_EVERY_MS = 10;

/**
 * In-process at once; with `database`, other processes too, by NOTIFY outside every transaction, at most one per topic,
 * what it is about, and {@link NOTIFY_EVERY_MS}.
 */
export async function createWake(deps: { log: Logger; database: Database | null }): Promise<Wake> {
  const listeners = new Map<WakeTopic, Set<(about: string) => void>>(WAKE_TOPICS.map((topic) => [topic, new Set()]));
  const notifying = new Map<string, NodeJS.Timeout>();
  const here = (topic: WakeTopic, about: string) => {
    for (const listener of listeners.get(topic) ?? []) listener(about);
  };
  const subscription = await deps.database?.listen(CHANNEL, (payload) => {
    const [name, about = ""] = payload.split(" ");
    const topic = WAKE_TOPICS.find((known) => known === name);
    if (topic !== undefined) here(topic, about);
  });

  return {
    poke(topic, about = "") {
      here(topic, about);
      const payload = about === "" ? topic : `${topic} ${about}`;
      if (deps.database === null || notifying.has(payload)) return;
      const { database } = deps;
      notifying.set(
        payload,
        setTimeout(() => {
          notifying.delete(payload);
          database.notify(CHANNEL, payload).catch((error: unknown) => deps.log.warn({ error, topic }, "wake not sent"));
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
