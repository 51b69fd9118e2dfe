import { describe, expect, test } from "vitest";
import { createAdmission } from "./admission.ts";

describe("the room for bodies on their way in", () => {
  test("lets one source have half of it, and others still in", () => {
    const admission = createAdmission(100);
    expect(flood(admission, "noisy")).toBe(5);
    expect(() => admission.enter("quiet", 10)).not.toThrow();
  });

  test("lets two sources have about a third each", () => {
    const admission = createAdmission(300);
    let taken = 0;
    for (let round = 0; round < 20; round++) taken += ["a", "b"].filter((source) => enters(admission, source)).length;
    expect(taken).toBe(20);
    expect(() => admission.enter("quiet", 10)).not.toThrow();
  });

  test("never holds more than there is, and tells when to come back", () => {
    const admission = createAdmission(100);
    for (let source = 0; source < 100; source++) enters(admission, `${source}`);
    expect(() => admission.enter("another", 1)).toThrow(
      expect.objectContaining({ code: "overloaded", retryAfterSeconds: 5 }),
    );
  });

  test("has the room again that is given back", () => {
    const admission = createAdmission(100);
    const leave = [1, 2, 3, 4, 5].map(() => admission.enter("noisy", 10));
    expect(enters(admission, "noisy")).toBe(false);
    leave[0]?.();
    expect(enters(admission, "noisy")).toBe(true);
  });
});

function flood(admission: ReturnType<typeof createAdmission>, source: string): number {
  let taken = 0;
  while (taken < 1_000 && enters(admission, source)) taken++;
  return taken;
}

function enters(admission: ReturnType<typeof createAdmission>, source: string): boolean {
  try {
    admission.enter(source, 10);
    return true;
  } catch {
    return false;
  }
}
