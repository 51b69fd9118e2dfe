import { describe, expect, test } from "vitest";
import { createMetrics } from "./index.ts";

describe("metrics", () => {
  test("are counted apart in each instance", async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.counter({ name: "a_total", help: "A" }).add();
    other.counter({ name: "a_total", help: "A" });
    expect((await one.text()).body).toContain("a_total 1\n");
    expect((await other.text()).body).toContain("a_total 0\n");
  });

  test("read a gauge once for several scrapers, and again after it failed", async () => {
    let reads = 0;
    const metrics = createMetrics();
    metrics.gauge({ name: "b", help: "B", labels: ["kind"] }, async () => {
      reads += 1;
      if (reads === 1) throw new Error("not now");
      return [{ labels: { kind: "x" }, value: 7 }];
    });
    await expect(metrics.text()).rejects.toThrow("not now");
    for (let scrape = 0; scrape < 3; scrape++) expect((await metrics.text()).body).toContain('b{kind="x"} 7\n');
    expect(reads).toBe(2);
  });
});
