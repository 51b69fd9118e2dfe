import { describe, expect, test } from "vitest";
import { hasPopups, readAuthorizationMessage } from "./popup.ts";

const popup = {} as Window;
const expected = { origin: "https://api.example.com", window: popup };
const data = { type: "patchbay:authorization", authorizationId: "auth_1", completionCode: "code" };

describe("readAuthorizationMessage", () => {
  test("reads the callback page's message", () => {
    expect(readAuthorizationMessage({ origin: expected.origin, source: popup, data }, expected)).toEqual(data);
  });

  test.each([
    ["another origin", { origin: "https://evil.example", source: popup, data }],
    ["an origin that begins alike", { origin: "https://api.example.com.evil.example", source: popup, data }],
    ["another window", { origin: expected.origin, source: {} as Window, data }],
    ["no window", { origin: expected.origin, source: null, data }],
    ["another type", { origin: expected.origin, source: popup, data: { ...data, type: "patchbay:other" } }],
    ["an id that is no text", { origin: expected.origin, source: popup, data: { ...data, authorizationId: 1 } }],
    ["a code that is no text", { origin: expected.origin, source: popup, data: { ...data, completionCode: {} } }],
    ["no object", { origin: expected.origin, source: popup, data: "patchbay:authorization" }],
    ["null", { origin: expected.origin, source: popup, data: null }],
  ])("ignores a message with %s", (_what, event) => {
    expect(readAuthorizationMessage(event, expected)).toBeNull();
  });

  test("ignores every message while no window is open", () => {
    const event = { origin: expected.origin, source: null, data };
    expect(readAuthorizationMessage(event, { ...expected, window: null })).toBeNull();
  });
});

describe("hasPopups", () => {
  test.each([
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36", true],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/480.0]", false],
    ["Mozilla/5.0 (iPhone) Mobile/15E148 Instagram 350.0", false],
    ["Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 Chrome/156.0 Mobile", false],
  ])("%s: %s", (userAgent, popups) => {
    expect(hasPopups(userAgent)).toBe(popups);
  });
});
