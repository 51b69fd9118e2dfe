import fc from "fast-check";
import { unknownTwin } from "./ids.ts";
import { bodyOf, type Attempt } from "./requests.ts";
import type { Operation } from "./routes.ts";
import type { World } from "./world.ts";

/** Of workspace A's callers. Verbs that change something are given ids of others and of nobody, so that A stays as it is. */
export function anyRequest(world: World, operations: readonly Operation[]): fc.Arbitrary<Attempt> {
  return fc.constantFrom(...operations).chain((operation) =>
    fc
      .record({
        ids: fc.array(anId(world, operation), { minLength: 3, maxLength: 3 }),
        query: fc.dictionary(aQueryName(operation), fc.oneof(anId(world, operation), aText()), { maxKeys: 3 }),
        body: aBody(world, operation),
        headers: someHeaders(world),
      })
      .map(({ ids, query, body, headers }) => ({
        operation,
        path: pathOf(operation, ids) + queryOf(query),
        headers,
        ...(body === undefined ? {} : { body }),
      })),
  );
}

/** What workspace B has, for A to ask for. */
export function foreignIds({ b }: World): readonly string[] {
  const { connectionId, runId, id, orderId, eventId } = b.first;
  return [
    connectionId,
    runId,
    id,
    orderId,
    eventId,
    b.endpointId,
    b.deliveryId,
    b.inboxId,
    b.erasureId,
    b.workspace.id,
  ];
}

function anId(world: World, { audience, method }: Operation): fc.Arbitrary<string> {
  const { a } = world;
  const nobodys = [a.first.connectionId, a.first.runId, a.endpointId, a.first.eventId].map(unknownTwin);
  // To the operator every workspace is open.
  if (audience === "admin") return fc.oneof(fc.constantFrom(...nobodys, "nobodys"), aText());
  const own = [a.first.connectionId, a.first.runId, a.endpointId, a.first.id, a.first.orderId, a.first.eventId];
  const known = [...nobodys, ...foreignIds(world), "order", "nobodys"];
  return fc.oneof(fc.constantFrom(...known, ...(method === "GET" ? own : [])), aText());
}

function aText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }).filter((text) => text.isWellFormed()),
    fc.base64String({ maxLength: 60 }),
    fc.integer().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom("", ".", "..", "%00", "null", "true", "__proto__"),
  );
}

function aQueryName({ parameters }: Operation): fc.Arbitrary<string> {
  const names = parameters.filter((each) => each.in === "query").map((each) => each.name);
  return fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names, "limit") }, { weight: 1, arbitrary: aText() });
}

/** The route's own with a field changed, or anything at all. */
function aBody(world: World, operation: Operation): fc.Arbitrary<unknown> {
  if (operation.method === "GET") return fc.constant(undefined);
  const value = fc.oneof(anId(world, operation), fc.jsonValue({ maxDepth: 4 }));
  if (operation.bodyFields.length === 0) return fc.option(value, { nil: undefined });
  const changed = fc
    .dictionary(fc.constantFrom(...operation.bodyFields, "unknown"), value, { minKeys: 1, maxKeys: 3 })
    .map((fields) => ({ ...bodyOf(world, operation), ...fields }));
  return fc.oneof({ weight: 4, arbitrary: changed }, { weight: 1, arbitrary: value });
}

function someHeaders(world: World): fc.Arbitrary<Readonly<Record<string, string>>> {
  const { b } = world;
  const text = fc.oneof(
    fc.string({ maxLength: 30 }).map((each) => each.trim()),
    fc.constantFrom(b.idempotencyKey, ...foreignIds(world)),
  );
  const names = ["idempotency-key", "last-event-id", "x-request-id", "x-forwarded-for", "x-workspace-id", "accept"];
  return fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 2 });
}

function pathOf(operation: Operation, ids: readonly string[]): string {
  let at = 0;
  return operation.path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(ids[at++] ?? "x"));
}

function queryOf(query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(Object.entries(query)).toString();
  return text === "" ? "" : `?${text}`;
}
