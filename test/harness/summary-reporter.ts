import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import { chromiumPath, NO_CHROMIUM } from "./chromium.ts";

/**
 * Closes a run with one line that counts all projects, and says what was not run. A run without tests fails, and in
 * CI so does one that left tests out.
 *
 * With `PATCHBAY_TEST_SUMMARY` the line is written to that file instead, for a script that has more to do before it.
 */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) counts[outcomeOf(test.result().state)] += 1;
      if (module.errors().length > 0 && tests.every((test) => test.result().state !== "failed")) counts.failed += 1;
    }
    if (errors.length > 0 && counts.failed === 0) counts.failed = 1;
    if (counts.passed + counts.failed === 0) process.exitCode = 1;
    if (counts.skipped > 0) tellSkipped(counts.skipped);
    tell(counts);
  }
}

export { SummaryReporter as default }; // Vitest loads a reporter by its default export

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function outcomeOf(state: "pending" | "passed" | "failed" | "skipped"): keyof Counts {
  return state === "pending" ? "skipped" : state;
}

function tellSkipped(skipped: number): void {
  const noBrowser = chromiumPath() === null ? ` Browser tests are among them: ${NO_CHROMIUM}.` : "";
  process.stdout.write(`Not run: ${skipped} tests.${noBrowser}\n`);
  if (process.env["CI"] === undefined || process.env["CI"] === "") return;
  process.stdout.write("In CI every test must run.\n");
  process.exitCode = 1;
}

function tell({ passed, failed, skipped }: Counts): void {
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`;
  const path = process.env["PATCHBAY_TEST_SUMMARY"];
  if (path === undefined || path === "") process.stdout.write(line);
  else writeFileSync(path, line);
}
