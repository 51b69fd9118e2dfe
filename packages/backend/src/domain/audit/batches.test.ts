import type { WorkspaceId } from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import { createBatches } from "./batches.ts";

const A = "a" as WorkspaceId;
const B = "b" as WorkspaceId;

function aWriter() {
  const written: string[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const batches = createBatches<number>(async (workspaceId, items) => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    written.push(`${workspaceId}: ${items.join(" ")}`);
  });
  return { written, gates, batches };
}

describe("batches", () => {
  test("put what arrives during a commit into the next one, in order", async () => {
    const { written, gates, batches } = aWriter();
    const all = [1, 2, 3].map((item) => batches.add(A, item));
    gates[0]?.resolve();
    await all[0];
    gates[1]?.resolve();
    await Promise.all(all);
    expect(written).toEqual(["a: 1", "a: 2 3"]);
  });

  test("do not let one workspace wait for another", async () => {
    const { written, gates, batches } = aWriter();
    void batches.add(A, 1);
    const other = batches.add(B, 2);
    gates[1]?.resolve();
    await other;
    expect(written).toEqual(["b: 2"]);
  });

  test("fail together, and go on with the next", async () => {
    const { gates, batches } = aWriter();
    const first = batches.add(A, 1);
    const others = [batches.add(A, 2), batches.add(A, 3)];
    const settled = Promise.allSettled(others);
    gates[0]?.resolve();
    await first;
    gates[1]?.reject(new Error("no database"));
    expect((await settled).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const later = batches.add(A, 4);
    gates[2]?.resolve();
    await later;
  });

  test("refuse rather than pile up", async () => {
    const { batches } = aWriter();
    for (let item = 0; item <= 2_000; item++) void batches.add(A, item);
    await expect(batches.add(A, 2_001)).rejects.toMatchObject({ code: "overloaded" });
    void batches.add(B, 1);
  });
});
