import type { ModelName, RunModel } from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import { progressOf } from "./progress-of.ts";

describe("progressOf", () => {
  test("counts the models whose total is known, and leaves those inside them out", () => {
    const models = [aModel("account", 1, null), aModel("product", 50, 319), aModel("variant", 120, null)];
    expect(progressOf({ status: "running", models })).toEqual({ done: 50, total: 319 });
  });

  test("never says more than all when records are made during the run", () => {
    const models = [aModel("product", 21, 20), aModel("order", 0, 80)];
    expect(progressOf({ status: "running", models })).toEqual({ done: 21, total: 101 });
  });

  test("tells no total while the provider tells none", () => {
    const models = [aModel("account", 1, null), aModel("order", 3, null)];
    expect(progressOf({ status: "running", models })).toEqual({ done: 4, total: null });
  });

  test("is full when the run has ended, whatever was counted before", () => {
    expect(progressOf({ status: "completed", models: [aModel("order", 79, 80)] })).toEqual({ done: 79, total: 79 });
    expect(progressOf({ status: "completed", models: [aModel("order", 3, null)] })).toEqual({ done: 3, total: 3 });
  });
});

function aModel(model: ModelName, done: number, total: number | null): RunModel {
  return { model, status: "running", done, total, created: 0, updated: 0, deleted: 0, quarantined: 0, problem: null };
}
