import {
  EVENT_CATALOGUE,
  EVENT_TYPES,
  OPERATIONAL_EVENT_TYPES,
  PatchbayEvent,
  type RecordEventType,
} from "@patchbay/shared";
import { describe, expect, test } from "vitest";
import { thinBody } from "./thin-event.ts";

const RECORD_EVENT_TYPES = EVENT_TYPES.filter(
  (type): type is RecordEventType => !OPERATIONAL_EVENT_TYPES.some((operational) => operational === type),
);

describe("thinBody", () => {
  test.each(RECORD_EVENT_TYPES)("of %s keeps all but the record and its former values", (type) => {
    const { example } = EVENT_CATALOGUE[type];
    const thin: unknown = JSON.parse(Buffer.from(thinBody(bytesOf(example))).toString());
    expect(thin).toEqual({ ...example, data: { ...example.data, object: null, previous: {} } });
    expect(PatchbayEvent.parse(thin)).toEqual(thin);
  });

  test("is the same, byte for byte, each time it is made", () => {
    const body = bytesOf(EVENT_CATALOGUE["order.updated"].example);
    expect(thinBody(body)).toEqual(thinBody(body));
    expect(thinBody(thinBody(body))).toEqual(thinBody(body));
  });

  test.each(OPERATIONAL_EVENT_TYPES)("leaves %s, which carries no record, as it is", (type) => {
    const body = bytesOf(EVENT_CATALOGUE[type].example);
    expect(thinBody(body)).toBe(body);
  });
});

function bytesOf(event: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(event));
}
