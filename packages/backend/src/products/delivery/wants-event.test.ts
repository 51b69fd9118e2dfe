import type { TenantUid } from "@patchbay/shared";
import { expect, test } from "vitest";
import { wantsEvent, type EventFilter } from "./wants-event.ts";

const [ACME, UMBRELLA, WHOLE] = ["a", "b", "nil"].map((uid) => uid as TenantUid);
const event = { tenantUid: ACME ?? ("" as TenantUid), provider: "shopify" } as const;
const ORDER_CREATED = { ...event, type: "order.created", model: "order" } as const;
const RUN_COMPLETED = { ...event, type: "run.completed", model: null } as const;
const ENDPOINT_FAILING = {
  type: "endpoint.failing",
  model: null,
  tenantUid: WHOLE ?? ("" as TenantUid),
  provider: null,
} as const;
const uids = (...these: readonly (TenantUid | undefined)[]) => these.flatMap((uid) => uid ?? []);

const everything: EventFilter = { types: null, models: null, tenantUids: null, providers: null };

test.each<[string, Partial<EventFilter>, Parameters<typeof wantsEvent>[1], boolean]>([
  ["everything", {}, ORDER_CREATED, true],
  ["an exact type", { types: ["order.created"] }, ORDER_CREATED, true],
  ["another type", { types: ["order.updated"] }, ORDER_CREATED, false],
  ["a family", { types: ["order.*"] }, ORDER_CREATED, true],
  ["another family", { types: ["customer.*"] }, ORDER_CREATED, false],
  ["a model", { models: ["order"] }, ORDER_CREATED, true],
  ["another model", { models: ["refund"] }, ORDER_CREATED, false],
  ["a family but another model", { types: ["order.*"], models: ["refund"] }, ORDER_CREATED, false],
  ["one model, and the event is about none", { models: ["refund"] }, RUN_COMPLETED, true],
  ["a tenant", { tenantUids: uids(UMBRELLA, ACME) }, ORDER_CREATED, true],
  ["another tenant", { tenantUids: uids(UMBRELLA) }, ORDER_CREATED, false],
  ["a tenant, and the event is the workspace's", { tenantUids: uids(ACME) }, ENDPOINT_FAILING, false],
  ["tenants that are all erased", { tenantUids: [] }, ORDER_CREATED, false],
  ["a provider", { providers: ["stripe", "shopify"] }, RUN_COMPLETED, true],
  ["another provider", { providers: ["stripe"] }, RUN_COMPLETED, false],
  ["a provider, and the event has none", { providers: ["shopify"] }, ENDPOINT_FAILING, false],
])("an endpoint that asked for %s", (_what, filter, about, wanted) => {
  expect(wantsEvent({ ...everything, ...filter }, about)).toBe(wanted);
});

test("a test event is nobody's but its endpoint's", () => {
  const filter = { ...everything, types: ["endpoint.*"] };
  expect(wantsEvent(filter, { ...ENDPOINT_FAILING, type: "endpoint.test" })).toBe(false);
});
