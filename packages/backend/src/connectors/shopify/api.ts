/** Requests of this connector, and the ids in its answers. */
import type { ProviderRequest } from "../kit/index.ts";
import { graphqlRequest } from "../kit/index.ts";

/** Pinned: quarterly, supported for a year. */
export const API_VERSION = "2026-10";
const GRAPHQL_PATH = "/graphql.json";

/** A single operation may not cost more. */
export const COST_MAX = 1000;

export function read(document: string, variables: Readonly<Record<string, unknown>>, cost: number): ProviderRequest {
  return graphqlRequest(GRAPHQL_PATH, document, variables, { cost: Math.min(cost, COST_MAX), idempotent: true });
}

/** Shopify charges 10 points for every mutation. */
const MUTATION_COST = 10;

export function write(document: string, variables: Readonly<Record<string, unknown>>): ProviderRequest {
  return graphqlRequest(GRAPHQL_PATH, document, variables, { cost: MUTATION_COST, idempotent: false });
}

/** `gid("Order", "123")` → `gid://shopify/Order/123`. */
export function gid(type: string, id: string): string {
  return `gid://shopify/${type}/${id}`;
}

/** A global id with a number. */
export const GID = /^gid:\/\/shopify\/([A-Za-z]+)\/(\d+)(?:\?.*)?$/;

/** The number in a global id, which is the remote id of our records. */
export function numericId(globalId: string): string {
  const id = GID.exec(globalId)?.[2];
  if (id === undefined) throw new Error("not a Shopify global id");
  return id;
}

/** The number in `value` if it is a global id of `type`, else `null`. */
export function idOfType(type: string, value: unknown): string | null {
  const match = typeof value === "string" ? GID.exec(value) : null;
  return match?.[1] === type ? (match[2] ?? null) : null;
}
