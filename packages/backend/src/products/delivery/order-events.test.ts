import fc from "fast-check";
import { expect, test } from "vitest";
import { orderEvents, type Orderable } from "./order-events.ts";

const event = (id: string, recordId: string | null = null, recordVersion: number | null = null): Orderable => ({
  id,
  recordId,
  recordVersion,
});

test("orders by id", () => {
  expect(orderEvents([event("c"), event("a"), event("b")]).map(({ id }) => id)).toEqual(["a", "b", "c"]);
});

test("keeps versions of a record in order although a clock ran behind", () => {
  const batch = [event("a", "r", 3), event("b"), event("c", "r", 2), event("d", "s", 1), event("e", "r", 1)];
  expect(orderEvents(batch).map(({ id }) => id)).toEqual(["e", "b", "c", "d", "a"]);
});

test("loses nothing, doubles nothing, and never turns versions around", () => {
  const batches = fc.uniqueArray(
    fc.record({ id: fc.uuid(), recordId: fc.constantFrom(null, "r", "s"), recordVersion: fc.nat(50) }),
    { selector: ({ id }) => id },
  );
  fc.assert(
    fc.property(batches, (batch) => {
      const ordered = orderEvents(batch);
      expect(ordered.map(({ id }) => id).toSorted()).toEqual(batch.map(({ id }) => id).toSorted());
      for (const record of ["r", "s"]) {
        const versions = ordered.filter((e) => e.recordId === record).map((e) => e.recordVersion ?? 0);
        expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      }
    }),
  );
});
