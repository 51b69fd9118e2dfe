import { describe, expect, test } from "vitest";
import { type PollDeps, startPoll } from "./poll.ts";

const pace = { firstMs: 1_000, factor: 1.25, ceilingMs: 5_000, limitMs: 600_000 };

describe("startPoll", () => {
  test("asks ever slower, from 1 s to 5 s", async () => {
    const time = aTime();
    const asked: number[] = [];
    startPoll(
      time.deps,
      pace,
      async () => void asked.push(time.now()),
      () => undefined,
    );
    for (let i = 0; i < 12; i++) await time.next();
    const waits = asked.map((at, index) => at - (asked[index - 1] ?? 0));
    expect(waits.slice(0, 3)).toEqual([1_000, 1_250, 1_562.5]);
    expect(waits.at(-1)).toBe(5_000);
  });

  test("asks at once when told to, and never twice at the same time", async () => {
    const time = aTime();
    let asked = 0;
    let answer = (): void => undefined;
    const poll = startPoll(
      time.deps,
      pace,
      () => {
        asked++;
        return new Promise((resolve) => (answer = resolve));
      },
      () => undefined,
    );
    poll.now();
    poll.now();
    expect(asked).toBe(1);
    answer();
    await settle();
    poll.now();
    expect(asked).toBe(2);
  });

  test("waits while nobody looks", async () => {
    const time = aTime();
    let asked = 0;
    startPoll(
      time.deps,
      pace,
      async () => void asked++,
      () => undefined,
    );
    time.hidden = true;
    await time.next();
    await time.next();
    expect(asked).toBe(0);
    time.hidden = false;
    await time.next();
    expect(asked).toBe(1);
  });

  test("gives up after its limit, and says so once", async () => {
    const time = aTime();
    let limits = 0;
    startPoll(
      time.deps,
      pace,
      async () => undefined,
      () => limits++,
    );
    for (let i = 0; i < 200; i++) await time.next();
    expect(limits).toBe(1);
    expect(time.now()).toBeLessThan(pace.limitMs + pace.ceilingMs + 1);
    expect(time.pending()).toBe(0);
  });

  test("is silent when stopped", async () => {
    const time = aTime();
    let asked = 0;
    startPoll(
      time.deps,
      pace,
      async () => void asked++,
      () => undefined,
    ).stop();
    await time.next();
    expect(asked).toBe(0);
  });
});

interface Time {
  hidden: boolean;
  readonly deps: PollDeps;
  now(): number;
  pending(): number;
  next(): Promise<void>;
}

/** A clock that stands still until the next timer is due. */
function aTime(): Time {
  const timers = new Map<number, { readonly at: number; readonly run: () => void }>();
  let nowMs = 0;
  let ids = 0;
  const time: Time = {
    hidden: false,
    now: () => nowMs,
    pending: () => timers.size,
    async next(): Promise<void> {
      const [due] = [...timers].toSorted(([, a], [, b]) => a.at - b.at);
      if (due === undefined) return;
      timers.delete(due[0]);
      nowMs = due[1].at;
      due[1].run();
      await settle();
    },
    deps: {
      clock: { now: () => nowMs },
      timers: {
        set(run, ms) {
          timers.set(++ids, { at: nowMs + ms, run });
          return ids;
        },
        clear: (id) => void timers.delete(id),
      },
      isHidden: () => time.hidden,
    },
  };
  return time;
}

function settle(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))));
}
