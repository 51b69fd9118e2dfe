import { expect, test } from "vitest";
import { subscribe } from "./subscribe.ts";
import { fakePatchbay } from "./testing.ts";

const URL_OF_MINE = "http://localhost:4401/webhooks/patchbay";
const page = (...data: unknown[]) => ({ data, hasMore: false, nextCursor: null });

test("makes an endpoint where there is none of this URL", async () => {
  const { patchbay, calls } = fakePatchbay({
    "GET /v1/webhook-endpoints": page({ id: "we_other", url: "https://other.example", status: "enabled" }),
    "POST /v1/webhook-endpoints": { id: "we_1", secret: "whsec_new" },
  });
  expect(await subscribe(patchbay, URL_OF_MINE)).toBe("whsec_new");
  expect(calls.at(-1)?.body).toMatchObject({ url: URL_OF_MINE });
});

test("gives an endpoint of before a new secret instead of a twin, and brings it back if it was disabled", async () => {
  const { patchbay, calls } = fakePatchbay({
    "GET /v1/webhook-endpoints": page({ id: "we_1", url: URL_OF_MINE, status: "disabled" }),
    "PATCH /v1/webhook-endpoints/we_1": {},
    "POST /v1/webhook-endpoints/we_1/rotate-secret": { id: "we_1", secret: "whsec_rotated" },
  });
  expect(await subscribe(patchbay, URL_OF_MINE)).toBe("whsec_rotated");
  expect(calls.map((call) => [call.route, call.body]).slice(1)).toEqual([
    ["PATCH /v1/webhook-endpoints/we_1", { status: "enabled" }],
    ["POST /v1/webhook-endpoints/we_1/rotate-secret", { graceHours: 0 }],
  ]);
});
