import { zValidator } from "@hono/zod-validator";
import { AppError, type FieldProblem, type Scope } from "@patchbay/shared";
import type { Context, Hono, MiddlewareHandler } from "hono";
import type { z } from "zod";
import type { AuditAction } from "../../domain/audit/index.ts";
import type { HttpEnv } from "./env.ts";

/** Who calls a route, and thereby how it is authenticated. */
export type Audience = "api" | "connect" | "admin" | "public";

/** One row of the route table: it feeds validation, scopes, OpenAPI and the isolation tests. */
export interface RouteSpec {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** `/v1/tenants/{id}` */
  readonly path: string;
  readonly summary: string;
  /** Groups routes in the documentation. */
  readonly tag: string;
  /** What the API key must be allowed; `null` for other audiences. */
  readonly scope: Scope | null;
  /**
   * Whether requests are entered in the audit log. Default: all but GETs. `true` for a GET that reveals a secret or
   * exports data; `false` for a POST that only looks; `byHandler` when it enters itself what it does.
   */
  readonly audited?: boolean | "byHandler";
  /** Its name in the audit log; default: made of the path (`connection.pause`). */
  readonly action?: AuditAction;
  readonly request: {
    readonly params?: z.ZodType;
    readonly query?: z.ZodType;
    readonly body?: z.ZodType;
    /** A request without a body means `{}`. */
    readonly bodyOptional?: true;
  };
  /** Status → schema of the body; `null`: no body. */
  readonly responses: Readonly<Record<number, z.ZodType | StreamedBody | null>>;
}

/** A body that comes item by item, for as long as it takes. */
export interface StreamedBody {
  readonly media: "text/event-stream" | "application/x-ndjson";
  /** One event's `data`, or one line. */
  readonly item: z.ZodType;
}

export interface Route<S extends RouteSpec = RouteSpec> {
  readonly spec: S;
  /**
   * @param guards authenticate and check the scope; run before validation
   * @param around runs after validation, around the handler
   */
  mount(app: Hono<HttpEnv>, guards: readonly MiddlewareHandler<HttpEnv>[], around?: Around): void;
}

/** A route of a workspace's backend: without a scope it does not compile. */
export type ApiRoute = Route<RouteSpec & { readonly scope: Scope }>;

export type Around = (
  c: Context<HttpEnv>,
  input: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
  run: () => Promise<Response>,
) => Promise<Response>;

type Output<T> = T extends z.ZodType ? z.output<T> : undefined;
type Inputs<S extends RouteSpec> = {
  readonly params: Output<S["request"]["params"]>;
  readonly query: Output<S["request"]["query"]>;
  readonly body: Output<S["request"]["body"]>;
};

/** Ties a row of the table to its handler, whose inputs are what the schemas give. */
export function defineRoute<const S extends RouteSpec>(
  spec: S,
  handler: (c: Context<HttpEnv>, input: Inputs<S>) => Promise<Response>,
): Route<S> {
  return {
    spec,
    mount(app, guards, around = (_, __, run) => run()) {
      const { params, query, body, bodyOptional = false } = spec.request;
      const validators = [
        ...(params === undefined ? [] : [zValidator("param", params, refuse("path"))]),
        ...(query === undefined ? [] : [zValidator("query", query, refuse("query"))]),
        ...(body === undefined ? [] : [requireJson(bodyOptional), zValidator("json", body, refuse("body"))]),
      ] as MiddlewareHandler<HttpEnv>[];
      const path = spec.path.replaceAll(/\{(\w+)\}/g, ":$1");
      app.on(spec.method.toUpperCase(), [path], ...guards, ...validators, (c) => {
        // The validators above put exactly these there; Hono cannot infer them through the array.
        const valid = (target: string) => c.req.valid(target as never) as unknown;
        const input = {
          params: params === undefined ? undefined : valid("param"),
          query: query === undefined ? undefined : valid("query"),
          body: body === undefined ? undefined : valid("json"),
        } as Inputs<S>;
        return around(c, input, () => handler(c, input));
      });
    },
  };
}

const ISSUES_MAX = 20;

function refuse(where: "path" | "query" | "body") {
  return (result: { success: boolean; error?: { issues: readonly z.core.$ZodIssue[] } }) => {
    if (result.success) return;
    const issues = result.error?.issues ?? [];
    const errors = issues.slice(0, ISSUES_MAX).map((issue): FieldProblem => {
      const path = issue.path.map(String).join(".");
      return { path: where === "body" ? path : `${where}.${path}`, message: issue.message };
    });
    const first = errors[0];
    throw new AppError(
      "invalid_request",
      first === undefined ? "the request is not valid" : `${first.path || where}: ${first.message}`,
      { errors },
    );
  };
}

const requireJson =
  (optional: boolean): MiddlewareHandler =>
  async (c, next) => {
    // The validator takes what names no type for an empty object.
    if (optional && c.req.header("content-type") === undefined && (await c.req.text()) === "") return next();
    // Exactly what the validator takes for JSON: anything else it would check as an empty object.
    const type = c.req.header("content-type")?.split(";")[0]?.trim() ?? "";
    if (!/^application\/(?:[\w.-]+\+)?json$/i.test(type)) {
      throw new AppError("unsupported_media_type", "send JSON with the header Content-Type: application/json");
    }
    if ((await c.req.text()) === "") throw new AppError("invalid_request", "the body is empty; send JSON");
    await next();
  };
