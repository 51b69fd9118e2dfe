import { describe, expect, test } from "vitest";
import { decide, type Copy } from "./decide.ts";

const hash = (text: string) => Buffer.from(text);

function aCopy(overrides: Partial<Copy> & { from?: number; to?: number } = {}): Copy {
  const { from = 0, to = from, ...rest } = overrides;
  return {
    read: { startedAt: new Date(from), endedAt: new Date(to) },
    sourceVersion: null,
    projectionVersion: 1,
    hash: hash("a"),
    deleted: false,
    ...rest,
  };
}

describe("decide", () => {
  const stored = aCopy({ from: 10, to: 20 });

  test.each([
    ["apply", "a read that started after the stored one ended", { from: 21, hash: hash("b") }],
    ["stale", "a read that ended before the stored one started", { from: 1, to: 9, hash: hash("b") }],
    ["reread", "an overlapping read that differs", { from: 15, to: 30, hash: hash("b") }],
    ["reread", "a read that started in the very instant the stored one ended", { from: 20, hash: hash("b") }],
    ["touch", "an overlapping read that says the same", { from: 15, to: 30 }],
    ["touch", "a newer read that says the same", { from: 30 }],
    ["apply", "a newer read that found it gone", { from: 30, deleted: true }],
    ["reread", "an overlapping read that found it gone", { from: 15, deleted: true }],
  ] as const)("answers %s to %s", (expected, _, incoming) => {
    expect(decide(stored, aCopy(incoming))).toBe(expected);
  });

  const versioned = aCopy({ from: 10, to: 20, sourceVersion: 5n });

  test.each([
    ["apply", "a higher version, though read earlier", { from: 1, sourceVersion: 6n, hash: hash("b") }],
    ["stale", "a lower version, though read later", { from: 99, sourceVersion: 4n, hash: hash("b") }],
    ["reread", "the same version with other content", { from: 99, sourceVersion: 5n, hash: hash("b") }],
    [
      "apply",
      "the same version seen by a newer projection",
      { sourceVersion: 5n, projectionVersion: 2, hash: hash("b") },
    ],
    [
      "stale",
      "the same version seen by an older projection",
      { sourceVersion: 5n, projectionVersion: 0, hash: hash("b") },
    ],
    ["apply", "a deletion read later, which has no version", { from: 21, deleted: true }],
  ] as const)("answers %s to %s", (expected, _, incoming) => {
    expect(decide(versioned, aCopy(incoming))).toBe(expected);
  });
});
