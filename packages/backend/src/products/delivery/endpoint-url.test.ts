import { AppError } from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import { checkEndpointUrl, isExempt } from "./endpoint-url.ts";

const LIVE = { mode: "live", endpointOrigins: ["http://localhost:4401"] } as const;
const TEST = { mode: "test", endpointOrigins: ["http://localhost:4401"] } as const;

describe("checkEndpointUrl", () => {
  test.each([
    ["https://hooks.example.com/patchbay?x=1", LIVE],
    ["https://hooks.example.com:8443/patchbay", TEST],
    ["http://localhost:4401/webhooks", TEST],
  ])("takes %s", (url, policy) => {
    expect(() => checkEndpointUrl(url, policy)).not.toThrow();
  });

  test.each([
    ["http://localhost:4401/webhooks", LIVE, "https://"],
    ["http://hooks.example.com/", TEST, "patchbay listen"],
    ["http://localhost:4402/", TEST, "PATCHBAY_ENDPOINT_ORIGINS"],
    ["https://user:pw@hooks.example.com/", TEST, "user and password"],
    ["https://127.0.0.1/", TEST, "public host"],
    ["https://[::1]/", TEST, "public host"],
    ["https://localhost/", TEST, "public host"],
    ["https://169.254.169.254/", LIVE, "public host"],
    ["https://hooks.example.com:22/", LIVE, "port 443"],
    ["ftp://hooks.example.com/", LIVE, "https://"],
    ["hooks.example.com", LIVE, "not a URL"],
  ])("refuses %s and says what to do", (url, policy, hint) => {
    const refusal = caught(() => checkEndpointUrl(url, policy));
    expect(refusal.code).toBe("endpoint_url_refused");
    expect(refusal.message).toContain(hint);
  });
});

test("exempts an origin in test workspaces only, and nothing that merely begins like it", () => {
  expect(isExempt("http://localhost:4401/webhooks", TEST)).toBe(true);
  expect(isExempt("http://localhost:4401/webhooks", LIVE)).toBe(false);
  expect(isExempt("http://localhost:4401.evil.example/", TEST)).toBe(false);
  expect(isExempt("http://localhost:44011/", TEST)).toBe(false);
});

function caught(work: () => void): AppError {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("it was not refused");
}
