import { EVENT_CATALOGUE, EVENT_TYPES, Problem, type EventType } from "@patchbay/shared";
import { z } from "zod";
import { isAudited } from "./audit-request.ts";
import type { Audience, RouteSpec, StreamedBody } from "./define-route.ts";
import { actionOf } from "./route-action.ts";

/** The OpenAPI 3.1 document of a route table. Named schemas (`.meta({ id })`) become components. */
export function openApiDocument(
  routes: readonly { readonly audience: Audience; readonly spec: RouteSpec }[],
  info: { readonly serverUrl: string; readonly version: string },
): Record<string, unknown> {
  const components: Record<string, unknown> = {};
  const schemaOf = (schema: z.ZodType, io: "input" | "output") => reference(schema, io, components);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { audience, spec } of routes) {
    const path = (paths[spec.path] ??= {});
    path[spec.method] = operation(audience, spec, schemaOf);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Patchbay",
      version: info.version,
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: info.serverUrl }],
    paths,
    webhooks: Object.fromEntries(EVENT_TYPES.map((type) => [type, webhook(type, schemaOf)])),
    components: {
      schemas: components,
      securitySchemes: {
        api: { type: "http", scheme: "bearer", description: "An API key of the workspace: pb_live_… or pb_test_…" },
        connect: { type: "http", scheme: "bearer", description: "A connect session token: cst_…" },
        admin: { type: "http", scheme: "bearer", description: "The operator token" },
      },
    },
  };
}

/** A type of event, as a request to the host's endpoint. */
function webhook(type: EventType, schemaOf: SchemaOf): Record<string, unknown> {
  const { schema, summary, example } = EVENT_CATALOGUE[type];
  const content = { "application/json": { schema: schemaOf(schema, "output"), example } };
  return {
    post: {
      operationId: `on${operationWords(type)}`,
      summary,
      tags: ["Events"],
      description: "Signed by Standard Webhooks v1: headers webhook-id, webhook-timestamp, webhook-signature.",
      requestBody: { required: true, content },
      responses: { "2XX": { description: "Taken. Anything else is tried again for three days." } },
    },
  };
}

type SchemaOf = (schema: z.ZodType, io: "input" | "output") => unknown;

function operation(audience: Audience, spec: RouteSpec, schemaOf: SchemaOf): Record<string, unknown> {
  const { params, query, body, bodyOptional = false } = spec.request;
  return {
    operationId: operationId(spec),
    summary: spec.summary,
    tags: [spec.tag],
    ...(audience === "public" ? { security: [] } : { security: [{ [audience]: [] }] }),
    ...(spec.scope === null ? {} : { "x-scope": spec.scope }),
    ...(isAudited(audience, spec) ? { "x-audit-action": spec.action ?? actionOf(spec) } : {}),
    parameters: [...parameters("path", params), ...parameters("query", query)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !bodyOptional,
            content: { "application/json": { schema: schemaOf(body, "input") } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(spec.responses).map(([status, answer]) => [status, response(answer, schemaOf)]),
      ),
      default: {
        description: "A problem (RFC 9457) with a stable code",
        content: { "application/problem+json": { schema: schemaOf(Problem, "output") } },
      },
    },
  };
}

function response(body: z.ZodType | StreamedBody | null, schemaOf: SchemaOf): Record<string, unknown> {
  if (body === null) return { description: "Done, no body" };
  if (!("media" in body)) {
    return { description: "Done", content: { "application/json": { schema: schemaOf(body, "output") } } };
  }
  return {
    description: "A stream; the schema is that of one item",
    content: { [body.media]: { schema: schemaOf(body.item, "output") } },
  };
}

/** `get /v1/tenants/{id}/records/{model}` → `getTenantsIdRecordsModel` */
function operationId(spec: RouteSpec): string {
  return spec.method + operationWords(spec.path.replace(/^\/v1/, ""));
}

function operationWords(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function parameters(where: "path" | "query", schema: z.ZodType | undefined): readonly Record<string, unknown>[] {
  if (schema === undefined) return [];
  const json = z.toJSONSchema(schema, { io: "input" });
  const required = new Set(json.required ?? []);
  return Object.entries(json.properties ?? {}).map(([name, property]) => ({
    name,
    in: where,
    required: where === "path" || required.has(name),
    schema: property,
  }));
}

/** The JSON Schema of `schema`; parts with an id go to `components` and are referred to. */
function reference(schema: z.ZodType, io: "input" | "output", components: Record<string, unknown>): unknown {
  const registered = z.globalRegistry.get(schema)?.id;
  const json = z.toJSONSchema(schema, { io, reused: "inline" });
  const { $schema: _, $defs = {}, ...root } = json as Record<string, unknown> & { $defs?: Record<string, unknown> };
  for (const [name, definition] of Object.entries($defs)) components[name] ??= relink(definition);
  if (registered === undefined) return relink(root);
  components[registered] ??= relink(root);
  return { $ref: `#/components/schemas/${registered}` };
}

/** `#/$defs/X` → `#/components/schemas/X`, and no names that only zod needs. */
function relink(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relink);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== "id" || !("$schema" in value))
      .map(([name, member]) =>
        name === "$ref" && typeof member === "string"
          ? [name, member.replace("#/$defs/", "#/components/schemas/")]
          : [name, relink(member)],
      ),
  );
}

const DESCRIPTION =
  "Let your customers connect their accounts at other providers; read their records in one shape, receive signed " +
  "events, and follow every change through one feed. All times are RFC 3339 UTC, all amounts integers in minor units.";
