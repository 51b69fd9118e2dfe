import { describe, expect, test } from "vitest";
import { gather } from "./gather.ts";

/** Runs batches when told to. */
function manual(fails: (items: readonly number[]) => Error | null = () => null) {
  const batches: { readonly key: string; readonly items: readonly number[]; end: () => void }[] = [];
  const run = gather<string, number, number>({
    run: (key, items) =>
      new Promise((resolve, reject) => {
        const error = fails(items);
        const end = () => (error === null ? resolve(items.map((item) => item * 10)) : reject(error));
        batches.push({ key, items, end });
      }),
    batchMax: 3,
    oneAtFault: (error) => error instanceof Error && error.message === "one of them",
  });
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  /** Ends every batch as it comes, until nothing waits. */
  const endAll = async () => {
    for (let seen = 0; ;) {
      await turn();
      if (seen === batches.length) return;
      batches[seen++]?.end();
    }
  };
  return { run, batches, turn, endAll };
}

describe("what is gathered", () => {
  test("goes together when it comes at the same moment or while a batch is under way, at most so many at once", async () => {
    const { run, batches, turn, endAll } = manual();
    const first = [run("a", 1), run("a", 2)];
    await turn();
    const second = [3, 4, 5, 6].map((item) => run("a", item));
    await endAll();
    expect(batches.map(({ items }) => items)).toEqual([[1, 2], [3, 4, 5], [6]]);
    expect(await Promise.all([...first, ...second])).toEqual([10, 20, 30, 40, 50, 60]);
  });

  test("of one key does not wait for another's", async () => {
    const { run, batches, turn, endAll } = manual();
    const both = [run("a", 1), run("b", 2)];
    await turn();
    expect(batches.map(({ key }) => key)).toEqual(["a", "b"]);
    await endAll();
    expect(await Promise.all(both)).toEqual([10, 20]);
  });

  test("is tried one by one after a failure that one of them may have caused", async () => {
    const { run, endAll } = manual((items) => (items.includes(2) ? new Error("one of them") : null));
    const all = Promise.allSettled([run("a", 1), run("a", 2), run("a", 3)]);
    await endAll();
    expect((await all).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  test("fails as a whole after any other failure, and what comes next is tried", async () => {
    let broken = true;
    const { run, batches, endAll } = manual(() => (broken ? new Error("gone") : null));
    const all = Promise.allSettled([run("a", 1), run("a", 2)]);
    await endAll();
    expect((await all).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(batches).toHaveLength(1);
    broken = false;
    const next = run("a", 3);
    await endAll();
    expect(await next).toBe(30);
  });
});
