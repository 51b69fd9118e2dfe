import { describe, expect, test } from "vitest";
import type { Audience, Route } from "./define-route.ts";
import * as http from "./index.ts";
import { openApiDocument } from "./openapi.ts";

/** Stands in for every dependency: the table is only read, no handler runs. */
const anything: never = new Proxy(() => {}, { get: () => anything }) as never;

const factories = Object.entries(http).filter(([name]) => name.endsWith("Routes")) as unknown as readonly (readonly [
  string,
  (deps: never) => readonly Route[],
])[];

const table = factories.flatMap(([name, make]) =>
  make(anything).map(({ spec }) => ({ audience: audienceOf(name), spec })),
);
const document = openApiDocument(table, { serverUrl: "http://localhost:4400", version: "1" });
const paths = document["paths"] as Record<string, Record<string, Operation>>;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: unknown }[];
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
  readonly requestBody?: unknown;
  readonly security: readonly Record<string, readonly string[]>[];
}

function audienceOf(factory: string): Audience {
  if (factory.toLowerCase().includes("admin")) return "admin";
  return factory === "connectRoutes" ? "connect" : "api";
}

/** Every value in the document with the key it stands under. */
function* walk(value: unknown, key = ""): Generator<readonly [string, unknown]> {
  yield [key, value];
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) yield* walk(member, name);
}

function resolve(reference: string): unknown {
  return reference
    .slice(2)
    .split("/")
    .reduce<unknown>(
      (at, name) => (typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined),
      document,
    );
}

describe("the OpenAPI document", () => {
  test("has every route of the table", () => {
    expect(table.length).toBeGreaterThan(25);
    expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      table.map(({ spec }) => `${spec.method} ${spec.path}`).toSorted(),
    );
  });

  test("refers to nothing that is not there", () => {
    const references = [...walk(document)].filter(([key]) => key === "$ref").map(([, value]) => String(value));
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      expect(reference).toMatch(/^#\/components\/schemas\/\w+$/);
      expect(resolve(reference), reference).toBeDefined();
    }
  });

  test("gives every operation a name of its own", () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]\w+$/);
  });

  test("declares exactly the parameters that a path has, as required", () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
      const declared = operation.parameters.filter((each) => each.in === "path");
      expect(declared.map(({ name }) => name).toSorted(), path).toEqual(inPath.toSorted());
      expect(declared.every(({ required }) => required)).toBe(true);
    }
  });

  test("describes each answer, the problem of every operation included", () => {
    for (const { path, operation } of operations) {
      for (const response of Object.values(operation.responses))
        expect(response.description, path).toBeTypeOf("string");
      expect(operation.responses["default"]).toMatchObject({
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      });
    }
  });

  test("names a security scheme that it declares", () => {
    const declared = new Set(Object.keys(resolve("#/components/securitySchemes") as object));
    for (const { operation } of operations) {
      expect(operation.security).toHaveLength(1);
      for (const name of operation.security.flatMap(Object.keys)) expect(declared).toContain(name);
    }
  });

  test("holds plain JSON and no keyword that only the generator needs", () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    const keys = new Set([...walk(document)].map(([key]) => key));
    expect(keys).not.toContain("$schema");
    expect(keys).not.toContain("$defs");
  });
});
