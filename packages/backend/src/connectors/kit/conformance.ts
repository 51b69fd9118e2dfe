/**
 * What every connector must fulfil, checked against its fixtures. A connector's folder holds in `fixtures/`:
 *
 * - `list.<resource>.<n>.json`: the pages of a list in order, the last one without a successor
 * - `expand.<resource>.<n>.json`: answers to the expansions of those pages' items, in the order they are asked for
 * - `batch.<resource>.json`: an answer to a read by ids
 * - `webhook.<name>.http`: a delivery: a first line, headers without the signature, an empty line, the raw body
 * - `error.<fault>.<name>.http`: an answer with its status as first line; `<fault>` is the kind it must become
 *
 * @module
 */
import assert from "node:assert/strict";
import { MODELS, type ModelName, NORMALIZED_SCHEMAS, type NormalizedRecord } from "@patchbay/shared";
import { authChecks } from "./conformance-auth.ts";
import type { Connector, Expansion, NormalizeContext, ProviderResponse, Resource } from "./connector.ts";
import { parseJson } from "./lossless-json.ts";
import { restoreDelivery } from "./restore-delivery.ts";
import { signDelivery } from "./sign-delivery.ts";
import type { SignedRequest } from "./signature.ts";
import { verifySignature } from "./verify-signature.ts";

/** File name → its text. */
export type Fixtures = Readonly<Record<string, string>>;

export interface Check {
  /** The guarantee, as a fact. */
  readonly name: string;
  /** @throws AssertionError when it does not hold */
  run(): void;
}

export function conformanceChecks(connector: Connector, fixtures: Fixtures): readonly Check[] {
  const resources = Object.values(connector.resources);
  return [
    ...declarationChecks(connector),
    ...authChecks(connector),
    ...resources.flatMap((resource) => resourceChecks(connector, resource, fixtures)),
    ...webhookChecks(connector, fixtures),
    ...errorChecks(connector, fixtures),
  ];
}

/** Every object of a resource's fixtures, normalized and checked. */
export function normalizedFixtures(resource: Resource, fixtures: Fixtures): readonly NormalizedRecord[] {
  return listedItems(resource, fixtures).flatMap((item) => normalizeChecked(resource, item));
}

function declarationChecks(connector: Connector): readonly Check[] {
  const scopes = Object.values(connector.scopes.byModel);
  return [
    {
      name: "its facts carry the date they were checked",
      run: () => assert.ok(!Number.isNaN(Date.parse(connector.api.checkedOn)) && connector.api.checkedOn.length === 10),
    },
    {
      name: "no model asks for a scope twice",
      run: () => scopes.forEach((list) => assert.equal(new Set(list).size, list.length)),
    },
    {
      name: "every resource is named as its key, and a child's parent is one that lists",
      run() {
        for (const [key, resource] of Object.entries(connector.resources)) {
          assert.equal(resource.name, key);
          if (resource.childOf === null) assert.ok(resource.list !== null && resource.batchRead !== null);
          else assert.ok(connector.resources[resource.childOf]?.list);
        }
      },
    },
    {
      name: "a parameter's example becomes a value that its anchored pattern accepts",
      run() {
        for (const parameter of connector.parameters) {
          const { pattern } = parameter;
          assert.match(parameter.normalize(parameter.example) ?? "", pattern);
          assert.ok(pattern.source.startsWith("^") && pattern.source.endsWith("$") && !pattern.flags.includes("m"));
        }
      },
    },
  ];
}

function resourceChecks(connector: Connector, resource: Resource, fixtures: Fixtures): readonly Check[] {
  const { list, batchRead } = resource;
  if (list === null || batchRead === null) {
    const parent = Object.values(connector.resources).find((each) => each.name === resource.childOf);
    return [
      {
        name: `${resource.name}: its parent's fixtures hold at least one ${resource.model}`,
        run: () => assert.ok(parent && modelsIn(normalizedFixtures(parent, fixtures)).has(resource.model)),
      },
    ];
  }
  return [
    {
      name: `${resource.name}: every listed item becomes valid records, its own first`,
      run() {
        const items = listedItems(resource, fixtures);
        assert.ok(items.length > 0);
        items.forEach((item) => assert.equal(normalizeChecked(resource, item)[0]?.model, resource.model));
      },
    },
    {
      name: `${resource.name}: what normalize emits beside its own model are the declared children`,
      run() {
        const children = Object.values(connector.resources).filter((each) => each.childOf === resource.name);
        const declared = new Set([resource.model, ...children.map((child) => child.model)]);
        assert.deepEqual(modelsIn(normalizedFixtures(resource, fixtures)), declared);
        resource.completeChildren.forEach((model) => assert.ok(declared.has(model)));
      },
    },
    {
      name: `${resource.name}: a read by ids becomes valid records, none for what is gone`,
      run() {
        const found = batchRead.parse(response(fixture(fixtures, `batch.${resource.name}.json`)));
        assert.ok(found.length > 0 && batchRead.maxIds > 0);
        for (const { remoteId, item } of found) {
          assert.equal(normalizeChecked(resource, item)[0]?.data.remoteId, remoteId);
        }
      },
    },
    {
      name: `${resource.name}: resizing a request changes nothing but its size`,
      run() {
        const { initial, min } = list.pageSize;
        const first = list.first({ since: null, pageSize: initial });
        assert.deepEqual(list.resize(list.resize(first, min), initial), first);
      },
    },
    {
      name: `${resource.name}: a page that repeats itself ends the walk`,
      run() {
        const page = response(fixture(fixtures, `list.${resource.name}.1.json`));
        const first = list.first({ since: null, pageSize: list.pageSize.initial });
        const second = list.next(page, first);
        if (second !== null) assert.equal(list.next(page, second), null);
      },
    },
  ];
}

function webhookChecks(connector: Connector, fixtures: Fixtures): readonly Check[] {
  const { webhooks } = connector;
  if (webhooks === null) return [];
  const deliveries = Object.keys(fixtures).filter((name) => name.startsWith("webhook."));
  return [
    { name: "it has a delivery to show", run: () => assert.ok(deliveries.length > 0) },
    ...deliveries.flatMap((name): readonly Check[] => {
      const { headers, body } = readMessage(fixture(fixtures, name));
      const raw = new TextEncoder().encode(body);
      const unsigned = requestOf(headers, raw);
      const signed = { ...headers, ...signDelivery(webhooks.signature, SECRET, unsigned) };
      return [
        {
          name: `${name}: is let in, and its hints are about resources that can be read`,
          run() {
            const check = verifySignature(webhooks.signature, ["another", SECRET], requestOf(signed, raw));
            assert.ok("secretIndex" in check && check.secretIndex === 1);
            const changes = webhooks.parse(restoreDelivery(signed, raw));
            assert.ok(changes && changes.length > 0);
            assert.equal(new Set(changes.map((change) => change.dedupeKey)).size, changes.length);
            for (const { hint } of changes) {
              if ("resource" in hint) assert.ok(connector.resources[hint.resource]?.batchRead);
            }
          },
        },
        {
          name: `${name}: is refused when it is tampered with, unsigned, or signed by somebody else`,
          run() {
            const tampered = new TextEncoder().encode(`${body} `);
            const refused = (with_: typeof headers, bytes: Uint8Array, secret = SECRET) =>
              assert.ok("problem" in verifySignature(webhooks.signature, [secret], requestOf(with_, bytes)));
            refused(signed, tampered);
            refused(headers, raw);
            refused(signed, raw, "another");
          },
        },
      ];
    }),
    {
      name: "a signed body of no known shape is none of its changes",
      run() {
        const raw = new TextEncoder().encode("no json");
        const signed = signDelivery(webhooks.signature, SECRET, requestOf({}, raw));
        assert.ok("secretIndex" in verifySignature(webhooks.signature, [SECRET], requestOf(signed, raw)));
        assert.equal(webhooks.parse(restoreDelivery(signed, raw)), null);
      },
    },
  ];
}

function errorChecks(connector: Connector, fixtures: Fixtures): readonly Check[] {
  const errors = Object.keys(fixtures).filter((name) => name.startsWith("error."));
  return [
    { name: "it has an error to show", run: () => assert.ok(errors.length > 0) },
    ...errors.map((name) => ({
      name: `${name}: is classified`,
      run: () => assert.equal(connector.classify(readAnswer(fixture(fixtures, name)))?.kind, name.split(".")[1]),
    })),
  ];
}

/** Walks the list fixtures as the engine would. A walk that does not end with the last page fails. */
function listedItems(resource: Resource, fixtures: Fixtures): readonly unknown[] {
  const { list } = resource;
  assert.ok(list);
  const pages = numbered(fixtures, `list.${resource.name}`);
  const answers = numbered(fixtures, `expand.${resource.name}`).values();
  const items: unknown[] = [];
  let request = list.first({ since: null, pageSize: list.pageSize.initial });
  for (const [index, text] of pages.entries()) {
    const page = response(text);
    items.push(...list.items(page).map((item) => completed(item, (each) => list.expansions(each), answers)));
    const next = list.next(page, request);
    assert.equal(next === null, index === pages.length - 1, `${resource.name}: page ${index + 1} of ${pages.length}`);
    if (next !== null) request = next;
  }
  assert.equal(answers.next().done, true, `${resource.name}: an expansion fixture was not asked for`);
  return items;
}

/** Rounds of expansions that one item may need. */
const EXPANSION_ROUNDS_MAX = 5;

function completed(
  item: unknown,
  expansions: (item: unknown) => readonly Expansion[],
  answers: IterableIterator<string>,
): unknown {
  let complete = item;
  for (let round = 0; round < EXPANSION_ROUNDS_MAX; round++) {
    const open = expansions(complete);
    if (open.length === 0) return complete;
    for (const expansion of open) {
      let request: Expansion["request"] | null = expansion.request;
      while (request !== null) {
        const { value, done } = answers.next();
        assert.ok(!done, "an expansion has no fixture");
        complete = expansion.merge(complete, response(value));
        request = expansion.next(response(value), request);
      }
    }
  }
  assert.fail("expansions do not end");
}

function normalizeChecked(resource: Resource, item: unknown): readonly NormalizedRecord[] {
  // `normalize` takes `never` so that nothing but what `raw` parsed reaches it.
  const records = resource.normalize(resource.raw.parse(item) as never, CONTEXT);
  records.forEach((record) => NORMALIZED_SCHEMAS[record.model].parse(record.data));
  const keys = records.map((record) => `${record.model} ${record.data.remoteId}`);
  assert.equal(new Set(keys).size, keys.length);
  return records;
}

const CONTEXT: NormalizeContext = {
  id: (model, remoteId) => `${MODELS[model]}_${remoteId}`,
  accountCurrency: null,
};
const SECRET = "conformance secret";

function modelsIn(records: readonly NormalizedRecord[]): ReadonlySet<ModelName> {
  return new Set(records.map((record) => record.model));
}

function fixture(fixtures: Fixtures, name: string): string {
  const text = fixtures[name];
  assert.ok(text !== undefined, `fixture ${name} is missing`);
  return text;
}

function numbered(fixtures: Fixtures, prefix: string): readonly string[] {
  const texts: string[] = [];
  for (let n = 1; fixtures[`${prefix}.${n}.json`] !== undefined; n++)
    texts.push(fixture(fixtures, `${prefix}.${n}.json`));
  return texts;
}

/** A fixture's JSON as a successful answer. */
export function response(text: string): ProviderResponse {
  const parsed = parseJson(text);
  assert.ok("value" in parsed);
  return { status: 200, headers: {}, body: parsed.value };
}

/** An `.http` fixture: a first line, headers, an empty line, the body. */
export function readMessage(text: string): {
  readonly start: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const end = text.indexOf("\n\n");
  const [start = "", ...lines] = text.slice(0, end).split("\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { start, headers: Object.fromEntries(headers), body: text.slice(end + 2) };
}

/** An `.http` fixture of an answer; its body as the engine would give it. */
export function readAnswer(text: string): ProviderResponse {
  const { start, headers, body } = readMessage(text);
  const parsed = parseJson(body);
  return { status: Number(start), headers, body: body === "" ? null : "value" in parsed ? parsed.value : body };
}

function requestOf(headers: Readonly<Record<string, string>>, rawBody: Uint8Array): SignedRequest {
  return { method: "POST", url: "https://hooks.example.com/in", headers, rawBody, receivedAt: new Date() };
}
