import { randomUUID } from "node:crypto";
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
  /** Whether hints of other processes reach us: this one has heard itself lately. If not, poll more often. */
  hearing(): boolean;
  close(): Promise<void>;
}

const CHANNEL = "patchbay_wake";
/** Between two notifications, whatever they are about: NOTIFY takes a lock over the whole instance. */
const NOTIFY_EVERY_MS = 20;
/** Postgres refuses payloads of 8,000 bytes. */
const PAYLOAD_BYTES_MAX = 7_500;
/** Each process says that it is there, and hears whether it hears: twice missed, and it counts as deaf, or as gone. */
const BEAT_EVERY_MS = 5_000;
const MISSED_AFTER_MS = 2.5 * BEAT_EVERY_MS;
const BEAT = "beat";
/** First line of hints: who says so, and knows them already. */
const FROM = "from";

/**
 * In-process at once; with `database`, other processes too, by NOTIFY outside every transaction: one every
 * {@link NOTIFY_EVERY_MS} at most, and none while no other process is there to hear it.
 */
export async function createWake(deps: {
  readonly log: Logger;
  readonly database: Pick<Database, "listen" | "notify"> | null;
  readonly beatEveryMs?: number;
}): Promise<Wake> {
  const { database, log, beatEveryMs = BEAT_EVERY_MS } = deps;
  const missedAfterMs = (MISSED_AFTER_MS / BEAT_EVERY_MS) * beatEveryMs;
  const listeners = new Map<WakeTopic, Set<(about: string) => void>>(WAKE_TOPICS.map((topic) => [topic, new Set()]));
  const self = randomUUID();
  const heard = { self: -Infinity, others: -Infinity };
  /** When each of the others was heard, those that were not for long left out. */
  const known = new Map<string, number>();
  const waiting = new Set<string>();
  let notifying: NodeJS.Timeout | null = null;

  const here = (topic: WakeTopic, about: string) => {
    for (const listener of listeners.get(topic) ?? []) listener(about);
  };
  const send = (payload: string) => {
    database?.notify(CHANNEL, payload).catch((error: unknown) => log.warn({ error }, "wake not sent"));
  };
  const beat = () => send(`${BEAT} ${self}`);
  const hearBeat = (of: string) => {
    if (of === self) {
      heard.self = performance.now();
      return;
    }
    const isNew = !known.has(of);
    heard.others = performance.now();
    for (const [id, atMs] of known) if (heard.others - atMs > missedAfterMs) known.delete(id);
    known.set(of, heard.others);
    // So that it need not wait to know of us.
    if (isNew) beat();
  };
  const hear = (payload: string) => {
    for (const line of payload.split("\n")) {
      const [name = "", about = ""] = line.split(" ");
      if (name === FROM && about === self) return;
      if (name === BEAT) hearBeat(about);
      const topic = WAKE_TOPICS.find((known) => known === name);
      if (topic !== undefined) here(topic, about);
    }
  };
  /** At once, then no sooner than {@link NOTIFY_EVERY_MS} later: what comes meanwhile goes together. */
  const notify = () => {
    notifying = null;
    if (waiting.size === 0) return;
    send(`${FROM} ${self}\n${toPayload(waiting)}`);
    waiting.clear();
    notifying = setTimeout(notify, NOTIFY_EVERY_MS);
  };
  const isDeaf = () => database !== null && performance.now() - heard.self > missedAfterMs;
  const subscription = await database?.listen(CHANNEL, {
    onWake: hear,
    onHearing: () => {
      // What was told before was missed.
      for (const topic of WAKE_TOPICS) here(topic, "");
      beat();
    },
    onDeaf: (error) => log.info({ error }, "no notifications of work: polling instead"),
  });
  const beating = database === null ? null : setInterval(beat, beatEveryMs);

  return {
    poke(topic, about = "") {
      here(topic, about);
      if (database === null || performance.now() - heard.others > missedAfterMs) return;
      waiting.add(about === "" ? topic : `${topic} ${about}`);
      if (notifying === null) notify();
    },
    on(topic, listener) {
      listeners.get(topic)?.add(listener);
      return () => listeners.get(topic)?.delete(listener);
    },
    hearing: () => !isDeaf(),
    async close() {
      if (notifying !== null) clearTimeout(notifying);
      if (beating !== null) clearInterval(beating);
      await subscription?.close();
    },
  };
}

/** One hint a line; without what they are about where that would be too long. */
function toPayload(hints: ReadonlySet<string>): string {
  const payload = [...hints].join("\n");
  if (payload.length <= PAYLOAD_BYTES_MAX) return payload;
  return [...new Set([...hints].map((hint) => hint.split(" ", 1).join("")))].join("\n");
}
