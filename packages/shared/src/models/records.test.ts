import { describe, expect, test } from "vitest";
import { z } from "zod";
import { SCHEMA_VERSION } from "./base.ts";
import { MODEL_NAMES } from "./names.ts";
import { AnyRecord, NORMALIZED_SCHEMAS, RECORD_SCHEMAS } from "./records.ts";

const facts = {
  remoteId: "1",
  remoteGid: null,
  remoteUrl: null,
  remoteCreatedAt: "2026-11-20T10:00:00.000Z",
  remoteUpdatedAt: null,
  testMode: false,
  customFields: {},
  unavailableFields: {},
};
const account = { name: "Acme", url: null, email: null, defaultCurrency: "USD", timezone: null, plan: null };
const record = {
  ...facts,
  ...account,
  id: "acct_1",
  object: "account",
  schemaVersion: SCHEMA_VERSION,
  tenantId: "acme",
  connectionId: "conn_1",
  provider: "shopify",
  providerAccountId: "gid://shopify/Shop/1",
  remoteWasDeleted: false,
  remoteDeletedAt: null,
  firstSeenAt: "2026-11-20T10:00:00.000Z",
  changedAt: "2026-11-20T10:00:00.000Z",
  version: 1,
  changeSeq: "12",
  contentHash: "abc",
};

describe("records", () => {
  test("object tells the shape", () => {
    expect(AnyRecord.parse(record)).toEqual(record);
    expect(AnyRecord.safeParse({ ...record, object: "order" }).success).toBe(false);
  });

  test("a normalized object with a field too many or too few is refused", () => {
    expect(NORMALIZED_SCHEMAS.account.safeParse({ ...facts, ...account }).success).toBe(true);
    expect(NORMALIZED_SCHEMAS.account.safeParse({ ...facts, ...account, colour: "red" }).success).toBe(false);
    const { plan: _, ...incomplete } = account;
    expect(NORMALIZED_SCHEMAS.account.safeParse({ ...facts, ...incomplete }).success).toBe(false);
  });

  test.each(MODEL_NAMES)("%s: the record is the normalized object plus the base, every field required", (model) => {
    const normalized = jsonSchema(NORMALIZED_SCHEMAS[model]);
    const full = jsonSchema(RECORD_SCHEMAS[model]);
    expect(Object.keys(full.properties)).toEqual(expect.arrayContaining(Object.keys(normalized.properties)));
    expect([...normalized.required].sort()).toEqual(Object.keys(normalized.properties).sort());
  });
});

const Shape = z.object({ properties: z.record(z.string(), z.unknown()), required: z.array(z.string()) });

/** The object's own JSON schema; one with an id stands behind a reference. */
function jsonSchema(schema: z.ZodType): z.output<typeof Shape> {
  const whole = z.toJSONSchema(schema);
  const name = whole.$ref?.replace("#/$defs/", "");
  return Shape.parse(name === undefined ? whole : whole.$defs?.[name]);
}
