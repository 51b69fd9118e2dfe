import { describe, expect, test } from "vitest";
import { HEALTH_CAUSES, causesAfter, healthOf } from "./health.ts";

describe("health", () => {
  test("is degraded as long as one cause holds", () => {
    const two = causesAfter([], { add: ["runs_failing", "missing_scopes"] });
    const one = causesAfter(two, { clear: ["missing_scopes"] });
    expect([healthOf([]), healthOf(two), healthOf(one), healthOf(causesAfter(one, { clear: one }))]).toEqual([
      "ok",
      "degraded",
      "degraded",
      "ok",
    ]);
  });

  test("shows the most telling cause first, whichever came first", () => {
    expect(causesAfter(["runs_failing"], { add: ["account_suspended"] })).toEqual([
      "account_suspended",
      "runs_failing",
    ]);
    expect(causesAfter([], { add: HEALTH_CAUSES.toReversed() })).toEqual(HEALTH_CAUSES);
  });

  test("holds a cause that is found and cleared at once", () => {
    expect(causesAfter([], { add: ["token_refused"], clear: ["token_refused"] })).toEqual(["token_refused"]);
  });
});
