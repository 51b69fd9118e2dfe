/** GraphQL connections (`nodes`, `pageInfo`): the requests that walk them and the answers they get. */
import { z } from "zod";
import type { ProviderRequest, ProviderResponse } from "./connector.ts";

export interface GraphqlBody {
  readonly query: string;
  readonly operationName: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export function graphqlRequest(
  path: string,
  document: string,
  variables: GraphqlBody["variables"],
  { cost, idempotent }: { readonly cost: number; readonly idempotent: boolean },
): ProviderRequest {
  const body: GraphqlBody = { query: document, operationName: operationName(document), variables };
  return { method: "POST", path, body, idempotent, cost };
}

/** Name of the one operation in `document`. */
export function operationName(document: string): string {
  const name = /^(?:query|mutation)\s+(\w+)/m.exec(document)?.[1];
  if (name === undefined) throw new Error("a GraphQL document needs a named operation");
  return name;
}

/** The variables of a request that `graphqlRequest` made, maybe stored and read again since. */
export function variablesOf(request: ProviderRequest): GraphqlBody["variables"] {
  return RequestBody.parse(request.body).variables;
}

/** The same request with other variables. */
export function withVariables(
  request: ProviderRequest,
  variables: GraphqlBody["variables"],
  cost = request.cost,
): ProviderRequest {
  const body = RequestBody.parse(request.body);
  return { ...request, cost, body: { ...body, variables: { ...body.variables, ...variables } } };
}

export interface PageInfo {
  readonly hasNextPage: boolean;
  readonly endCursor: string | null;
}
export const PageInfo: z.ZodType<PageInfo> = z.looseObject({
  hasNextPage: z.boolean(),
  endCursor: z.string().nullable(),
});

/** A page of a connection. */
export interface ConnectionPage {
  readonly nodes: readonly unknown[];
  readonly pageInfo: PageInfo;
}
export const ConnectionPage: z.ZodType<ConnectionPage> = z.looseObject({
  nodes: z.array(z.unknown()),
  pageInfo: PageInfo,
});

/** The `data` of an answer that `classify` let through. */
export function dataOf(response: ProviderResponse): Readonly<Record<string, unknown>> {
  return Answer.parse(response.body).data;
}

/**
 * Where the walk goes on, or `null` at its end. A cursor that does not move ends it too: no answer can make it
 * turn in circles.
 */
export function nextCursor(page: ConnectionPage, request: ProviderRequest): string | null {
  const { hasNextPage, endCursor } = page.pageInfo;
  if (!hasNextPage || endCursor === null || endCursor === variablesOf(request)["after"]) return null;
  return endCursor;
}

const RequestBody = z.looseObject({ variables: z.record(z.string(), z.unknown()) });
const Answer = z.looseObject({ data: z.record(z.string(), z.unknown()) });
