import { expect, test } from "vitest";
import { createInFlight, type Room } from "./in-flight.ts";

const WIDE: Room = { requests: 2, attempts: 3 };

/** An attempt whose request and end are told by hand. */
function anAttempt() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let answered: () => void = () => {};
  const begin = (told: () => void) => {
    answered = told;
    return promise;
  };
  return { begin, answer: () => answered(), land: resolve, fail: reject };
}

/** @returns whether there is room, once everything that could happen has */
async function isOpen(room: Promise<void>): Promise<boolean> {
  let open = false;
  void room.then(() => (open = true));
  await new Promise(setImmediate);
  return open;
}

test("has room for a request when one was answered, for an attempt when one landed", async () => {
  const inFlight = createInFlight();
  const attempts = ["a", "b", "c"].map((subject) => ({ subject, ...anAttempt() }));
  const [first, second, third] = attempts;
  for (const attempt of [first, second]) if (attempt) inFlight.add(attempt.subject, attempt.begin);
  const forThird = inFlight.room(() => WIDE, "c");
  expect(await isOpen(forThird)).toBe(false);
  first?.answer();
  expect(await isOpen(forThird)).toBe(true);
  if (third) inFlight.add("c", third.begin);
  third?.answer();
  const forFourth = inFlight.room(() => WIDE, "d");
  expect(await isOpen(forFourth)).toBe(false);
  first?.land();
  expect(await isOpen(forFourth)).toBe(true);
});

test("waits for what is about the same subject until it landed", async () => {
  const inFlight = createInFlight();
  const attempt = anAttempt();
  inFlight.add("a", attempt.begin);
  attempt.answer();
  const again = inFlight.room(() => WIDE, "a");
  expect(await isOpen(again)).toBe(false);
  attempt.land();
  expect(await isOpen(again)).toBe(true);
});

test("goes by the room there is when something landed, not when the wait began", async () => {
  const inFlight = createInFlight();
  let room: Room = WIDE;
  const [first, second] = [anAttempt(), anAttempt()];
  inFlight.add("a", first.begin);
  inFlight.add("b", second.begin);
  const third = inFlight.room(() => room, "c");
  room = { requests: 1, attempts: 1 };
  first.land();
  expect(await isOpen(third)).toBe(false);
  second.land();
  expect(await isOpen(third)).toBe(true);
});

test("tells whoever waits, and who comes later, of an attempt that failed", async () => {
  const inFlight = createInFlight();
  const attempt = anAttempt();
  inFlight.add("a", attempt.begin);
  const waiting = expect(inFlight.room(() => WIDE, "a")).rejects.toThrow("planted");
  attempt.fail(new Error("planted"));
  await waiting;
  await expect(inFlight.room(() => WIDE, "b")).rejects.toThrow("planted");
  await expect(inFlight.landed()).rejects.toThrow("planted");
});
