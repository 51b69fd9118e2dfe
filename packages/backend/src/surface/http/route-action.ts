import type { AuditAction } from "../../domain/audit/index.ts";
import type { RouteSpec } from "./define-route.ts";

type Addressed = Pick<RouteSpec, "method" | "path">;

const VERBS = { get: "read", post: "create", put: "put", patch: "update", delete: "delete" } as const;

/**
 * What the audit log calls the act of a route: `POST /v1/connections/{id}/pause` → `connection.pause`,
 * `POST /v1/connect-sessions` → `connect_session.create`, `DELETE /v1/tenants/{id}` → `tenant.delete`.
 */
export function actionOf({ method, path }: Addressed): AuditAction {
  const segments = segmentsOf(path);
  const words = segments.filter((segment) => !isParam(segment));
  const [thing = "", last = ""] = [words.at(-2), words.at(-1)];
  const isVerb = method === "post" && segments.at(-1) === last && !isPlural(last);
  return isVerb && thing !== "" ? `${singular(thing)}.${snake(last)}` : `${singular(last)}.${VERBS[method]}`;
}

/** What a route acts on: the last id in its path and what it is an id of; `null` when the path has none. */
export function targetOf({ path }: Pick<RouteSpec, "path">): { readonly type: string; readonly param: string } | null {
  const segments = segmentsOf(path);
  const at = segments.findLastIndex(isParam);
  const words = segments.slice(0, at).filter((segment) => !isParam(segment));
  return at === -1 ? null : { type: singular(words.at(-1) ?? ""), param: segments[at]?.slice(1, -1) ?? "" };
}

/** Without the version and whom the route is for. */
function segmentsOf(path: string): readonly string[] {
  return path.replace(/^\/(?:admin\/|connect\/)?v1\//, "").split("/");
}

function isParam(segment: string): boolean {
  return segment.startsWith("{");
}

/** `runs`, `api-keys`; not `revoke-previous`. */
function isPlural(word: string): boolean {
  return word.endsWith("s") && !word.endsWith("ous");
}

function singular(word: string): string {
  return snake(word.replace(/ies$/, "y").replace(/s$/, ""));
}

function snake(word: string): string {
  return word.replaceAll("-", "_");
}
