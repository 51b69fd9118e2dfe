import { describe, expect, test } from "vitest";
import { Secret } from "../../platform/runtime/index.ts";
import { refreshInstant, toPair } from "./plan-refresh.ts";

const AT = new Date("2026-11-22T12:00:00Z");
const TOKENS = {
  accessToken: new Secret("a"),
  refreshToken: new Secret("r"),
  expiresInSeconds: 3600,
  refreshExpiresInSeconds: 7_776_000,
  scopes: [],
};

describe("refreshInstant", () => {
  test.each([
    [0, 2592],
    [0.5, 2880],
    [0.999999, 3168],
  ])("with chance %f is %i seconds into an hour", (chance, seconds) => {
    const at = refreshInstant(AT, toPair(TOKENS, AT, null, null), () => chance);
    expect(Math.round(((at?.getTime() ?? 0) - AT.getTime()) / 1000)).toBe(seconds);
  });

  test("is never for a token that does not expire", () => {
    expect(refreshInstant(AT, toPair({ ...TOKENS, expiresInSeconds: null }, AT, null, null), () => 0)).toBeNull();
  });

  test("is the end of a token that nothing can refresh", () => {
    const pair = toPair({ ...TOKENS, refreshToken: null }, AT, null, null);
    expect(refreshInstant(AT, pair, () => 0)).toEqual(pair.accessExpiresAt);
  });
});

describe("toPair", () => {
  test("keeps the refresh token at hand when the answer brings none", () => {
    const former = toPair(TOKENS, AT, null, null);
    const next = toPair({ ...TOKENS, refreshToken: null, refreshExpiresInSeconds: null }, AT, former, null);
    expect(next.refreshToken?.reveal()).toBe("r");
    expect(next.refreshExpiresAt).toEqual(former.refreshExpiresAt);
  });

  test("takes over nothing of a former pair when the answer brings its own", () => {
    const former = toPair(TOKENS, AT, null, null);
    const next = toPair({ ...TOKENS, refreshToken: new Secret("r2"), refreshExpiresInSeconds: null }, AT, former, null);
    expect(next.refreshToken?.reveal()).toBe("r2");
    expect(next.refreshExpiresAt).toBeNull();
  });
});
