import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createInboxWriter } from "./inbox-writer.ts";

interface Row {
  readonly id: number;
  readonly sourceId: string;
  readonly body: Uint8Array;
}

describe("createInboxWriter", () => {
  test("writes an item alone at once, and gathers what comes shortly after and meanwhile", async () => {
    const store = aStore();
    const writer = createInboxWriter(store.write);
    const all = Promise.all(Array.from({ length: 50 }, (_, id) => writer.append(aRow(id))));
    await store.drain();
    await all;
    expect(store.batches.map((batch) => batch.length)).toEqual([1, 32, 17]);
  });

  test("writes what came shortly after a batch though nothing more comes", async () => {
    const batches: number[] = [];
    const writer = createInboxWriter<Row>(async (rows) => {
      batches.push(rows.length);
    });
    await Promise.all([1, 2, 3].map((id) => writer.append(aRow(id))));
    await writer.append(aRow(4));
    expect(batches).toEqual([1, 2, 1]);
  });

  test("resolves after the commit and not before", async () => {
    const store = aStore();
    const writer = createInboxWriter(store.write);
    let resolved = false;
    const appended = writer.append(aRow(1)).then(() => (resolved = true));
    await Promise.resolve();
    expect(resolved).toBe(false);
    await store.drain();
    await appended;
    expect(resolved).toBe(true);
  });

  test("stores what it acknowledges and nothing twice, whatever fails", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 900_000 }), poison: fc.boolean() }), { maxLength: 60 }),
        async (items) => {
          const stored: number[] = [];
          const poisonous = new Set(items.flatMap((item, id) => (item.poison ? [id] : [])));
          const writer = createInboxWriter<Row>(async (rows) => {
            await Promise.resolve();
            expect(rows.length).toBeLessThanOrEqual(128);
            if (rows.length > 1) expect(sizeOf(rows)).toBeLessThanOrEqual(2 * 1024 * 1024);
            if (rows.some((row) => poisonous.has(row.id))) throw rowFault();
            stored.push(...rows.map((row) => row.id));
          });
          const results = await Promise.allSettled(
            items.map((item, id) => writer.append({ ...aRow(id), body: new Uint8Array(item.bytes) })),
          );
          const acknowledged = results.flatMap((result, id) => (result.status === "fulfilled" ? [id] : []));
          expect(stored.toSorted((a, b) => a - b)).toEqual(acknowledged);
          expect(acknowledged).toEqual(items.flatMap((item, id) => (item.poison ? [] : [id])));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("asks a database that is away once per batch, and tells the sender to come again", async () => {
    let asked = 0;
    const writer = createInboxWriter<Row>(async () => {
      asked++;
      throw new Error("connection refused");
    });
    const results = await Promise.allSettled(Array.from({ length: 100 }, (_, id) => writer.append(aRow(id))));
    expect(asked).toBe(3);
    for (const result of results) {
      expect(result).toMatchObject({ reason: { code: "overloaded", status: 503, retryAfterSeconds: 5 } });
    }
  });

  test("full, it refuses the noisiest source first", async () => {
    const store = aStore();
    const writer = createInboxWriter(store.write);
    // 33 of them on their way in two batches.
    const noisy = Array.from({ length: 2_033 }, (_, id) => settle(writer.append(aRow(id, "noisy"))));
    const quiet = Array.from({ length: 20 }, (_, id) => settle(writer.append(aRow(10_000 + id, "quiet"))));
    const late = settle(writer.append(aRow(20_000, "noisy")));
    await store.drain();
    const refused = (await Promise.all(noisy)).filter((result) => result === "overloaded");
    expect(refused).toHaveLength(20);
    expect(new Set(await Promise.all(quiet))).toEqual(new Set(["stored"]));
    expect(await late).toBe("overloaded");
  });

  test("full of bytes, it refuses the source with the largest bodies, not the one with more of them", async () => {
    const store = aStore();
    const writer = createInboxWriter(store.write);
    const body = new Uint8Array(1024 * 1024);
    const noisy = Array.from({ length: 70 }, (_, id) => settle(writer.append({ ...aRow(id, "noisy"), body })));
    const quiet = Array.from({ length: 200 }, (_, id) => settle(writer.append(aRow(10_000 + id, "quiet"))));
    const others = Array.from({ length: 10 }, (_, id) =>
      settle(writer.append({ ...aRow(20_000 + id, "other"), body })),
    );
    await store.drain();
    expect(new Set(await Promise.all(quiet))).toEqual(new Set(["stored"]));
    expect(new Set(await Promise.all(others))).toEqual(new Set(["stored"]));
    expect(await Promise.all(noisy)).toContain("overloaded");
  });

  test("never holds more than 64 MiB", async () => {
    const store = aStore();
    const writer = createInboxWriter(store.write);
    const body = new Uint8Array(5 * 1024 * 1024);
    const all = Array.from({ length: 20 }, (_, id) => settle(writer.append({ ...aRow(id), body })));
    await store.drain();
    const stored = (await Promise.all(all)).filter((result) => result === "stored");
    // Two on their way, twelve waiting.
    expect(stored).toHaveLength(14);
  });
});

function aRow(id: number, sourceId = "a"): Row {
  return { id, sourceId, body: new Uint8Array(10) };
}

/** Holds every write until `drain`, which then lets all through. */
function aStore() {
  const batches: (readonly Row[])[] = [];
  const release: (() => void)[] = [];
  let open = false;
  return {
    batches,
    write: (rows: readonly Row[]) =>
      new Promise<void>((resolve) => {
        batches.push(rows);
        if (open) resolve();
        else release.push(resolve);
      }),
    async drain() {
      // All that will be appended in this turn is waiting by now.
      await Promise.resolve();
      open = true;
      for (const go of release.splice(0)) go();
    },
  };
}

function settle(appending: Promise<void>): Promise<string> {
  return appending.then(
    () => "stored",
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "unknown"),
  );
}

function sizeOf(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + row.body.length, 0);
}

function rowFault(): Error {
  return new Error("failed query", { cause: Object.assign(new Error("unsupported Unicode"), { code: "22P05" }) });
}
