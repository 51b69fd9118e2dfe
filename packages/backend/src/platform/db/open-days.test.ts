import { expect, test } from "vitest";
import { createDayOpener } from "./open-days.ts";

const DAYS = ["2040-01-01", "2040-01-02", "2040-01-03"].map((day) => new Date(day));

test("days that are asked for while a round goes on are the next round, one for all", async () => {
  const rounds: { readonly instants: readonly Date[]; readonly end: () => void }[] = [];
  const ask = createDayOpener((instants) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    rounds.push({ instants, end: resolve });
    return promise;
  });
  const first = ask(DAYS.slice(0, 1));
  await Promise.resolve();
  await Promise.resolve();
  const others = [ask(DAYS.slice(1, 2)), ask(DAYS.slice(2))];
  expect(rounds.map(({ instants }) => [...instants])).toEqual([DAYS.slice(0, 1)]);
  rounds[0]?.end();
  await first;
  await Promise.resolve();
  expect(rounds.map(({ instants }) => [...instants])).toEqual([DAYS.slice(0, 1), DAYS.slice(1)]);
  rounds[1]?.end();
  await Promise.all(others);
});

test("who asks is told that it failed, and the next is tried again", async () => {
  let tries = 0;
  const ask = createDayOpener(() => (++tries === 1 ? Promise.reject(new Error("no rights")) : Promise.resolve()));
  await expect(ask(DAYS)).rejects.toThrow("no rights");
  await expect(ask(DAYS)).resolves.toBeUndefined();
});

test("nobody waits for longer than the limit", async () => {
  const ask = createDayOpener(() => Promise.withResolvers<void>().promise, 20);
  await expect(ask(DAYS)).rejects.toThrow("was not opened within 20 ms");
});
