import { expect, test } from "vitest";
import { wantsEvent } from "./wants-event.ts";

const ORDER_CREATED = { type: "order.created", model: "order" } as const;
const RUN_COMPLETED = { type: "run.completed", model: null } as const;

test.each([
  ["everything", { types: [], models: [] }, ORDER_CREATED, true],
  ["an exact type", { types: ["order.created"], models: [] }, ORDER_CREATED, true],
  ["another type", { types: ["order.updated"], models: [] }, ORDER_CREATED, false],
  ["a family", { types: ["order.*"], models: [] }, ORDER_CREATED, true],
  ["another family", { types: ["customer.*"], models: [] }, ORDER_CREATED, false],
  ["a model", { types: [], models: ["order" as const] }, ORDER_CREATED, true],
  ["another model", { types: [], models: ["refund" as const] }, ORDER_CREATED, false],
  ["a family but another model", { types: ["order.*"], models: ["refund" as const] }, ORDER_CREATED, false],
  ["one model, and the event is about none", { types: [], models: ["refund" as const] }, RUN_COMPLETED, true],
])("an endpoint that asked for %s", (_what, filter, event, wanted) => {
  expect(wantsEvent(filter, event)).toBe(wanted);
});

test("a test event is nobody's but its endpoint's", () => {
  expect(wantsEvent({ types: ["endpoint.*"], models: [] }, { type: "endpoint.test", model: null })).toBe(false);
});
