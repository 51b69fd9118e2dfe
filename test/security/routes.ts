import { readdir, readFile } from "node:fs/promises";
import type { TestProduct } from "../harness/product.ts";

/** One operation of `/openapi.json`. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  /** `GET /v1/tenants/{id}` */
  readonly name: string;
  readonly audience: "api" | "connect" | "admin";
  readonly scope: string | null;
  /** What the audit log calls it; `null`: it is not entered by the route table. */
  readonly auditAction: string | null;
  readonly parameters: readonly { readonly name: string; readonly in: "path" | "query" }[];
  /** Names of the body's own properties. */
  readonly bodyFields: readonly string[];
  readonly responses: Readonly<Record<string, unknown>>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}
export type JsonSchema = Readonly<Record<string, unknown>>;

interface RawOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly "x-scope"?: string;
  readonly "x-audit-action"?: string;
  readonly parameters: Operation["parameters"];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

export async function readOpenApi(product: Pick<TestProduct, "url">): Promise<OpenApi> {
  return (await (await fetch(`${product.url}/openapi.json`)).json()) as OpenApi;
}

/** The live route table, as the running product publishes it. */
export function operationsOf(document: OpenApi): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => ({
      method: method.toUpperCase(),
      path,
      name: `${method.toUpperCase()} ${path}`,
      audience: audienceOf(raw),
      scope: raw["x-scope"] ?? null,
      auditAction: raw["x-audit-action"] ?? null,
      parameters: raw.parameters,
      bodyFields: bodyFieldsOf(document, raw),
      responses: raw.responses,
    })),
  );
}

const ROUTES = new URL("../../packages/backend/src/surface/http/routes/", import.meta.url);

/** Doors without a row in the table, read from the sources: `POST /in/:provider/:source`. */
export async function doorsInSources(): Promise<readonly string[]> {
  const doors: string[] = [];
  for (const file of await readdir(ROUTES)) {
    if (file.endsWith(".test.ts")) continue;
    const source = await readFile(new URL(file, ROUTES), "utf8");
    for (const [, method = "", first = ""] of source.matchAll(
      /\bapp\.(get|post|put|patch|delete|all)\(\s*([^,\s]+)/g,
    )) {
      const path = /^"(\/[^"]*)"$/.exec(first)?.[1] ?? `${file}: ${first}`;
      doors.push(`${method.toUpperCase()} ${path}`);
    }
  }
  return doors.toSorted();
}

function audienceOf(raw: RawOperation): Operation["audience"] {
  const name = Object.keys(raw.security[0] ?? {})[0];
  if (name === "api" || name === "connect" || name === "admin") return name;
  throw new Error(`${raw.operationId} says nothing of who may call it`);
}

function bodyFieldsOf(document: OpenApi, raw: RawOperation): readonly string[] {
  const schema = raw.requestBody?.content["application/json"]?.schema ?? {};
  const name = typeof schema["$ref"] === "string" ? schema["$ref"].split("/").at(-1) : undefined;
  const resolved = name === undefined ? schema : (document.components.schemas[name] ?? {});
  const properties = resolved["properties"];
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}
