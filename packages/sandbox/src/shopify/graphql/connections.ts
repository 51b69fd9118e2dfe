import { GraphQLError } from "graphql";
import type { Ctx } from "./context.ts";

export interface PageArgs {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
  readonly reverse?: boolean | null;
}

/** Where an item stands in the list: by `value`, then by `id`. */
export interface Position {
  readonly value: number | string;
  readonly id: bigint;
}

export interface Connection {
  readonly nodes: () => unknown[];
  readonly edges: () => { cursor: string; node: unknown }[];
  readonly pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

const MAX_PAGE = 250;

/**
 * One page of `items`. A cursor holds the place after an item, not a page number, so that a walk stays right while the
 * list changes under it.
 */
export function paginate<T>(
  ctx: Ctx,
  items: readonly T[],
  args: PageArgs,
  list: { readonly positionOf: (item: T) => Position; readonly view: (item: T) => unknown },
): Connection {
  const size = pageSize(ctx, args);
  const direction = args.reverse ? -1 : 1;
  const sorted = items
    .map((item) => ({ item, position: list.positionOf(item) }))
    .sort((a, b) => direction * comparePositions(a.position, b.position));
  const after = args.after ? decodeCursor(args.after) : null;
  const before = args.before ? decodeCursor(args.before) : null;
  const inRange = sorted.filter(({ position }) => {
    if (after && direction * comparePositions(position, after) <= 0) return false;
    return !before || direction * comparePositions(position, before) < 0;
  });
  const fromEnd = typeof args.first !== "number" && typeof args.last === "number";
  const page = fromEnd ? inRange.slice(-size) : inRange.slice(0, size);
  const edges = page.map(({ item, position }) => ({ item, cursor: encodeCursor(position) }));
  return {
    nodes: () => edges.map((edge) => list.view(edge.item)),
    edges: () => edges.map((edge) => ({ cursor: edge.cursor, node: list.view(edge.item) })),
    pageInfo: {
      hasNextPage: fromEnd ? before !== null : inRange.length > page.length,
      hasPreviousPage: fromEnd ? inRange.length > page.length : after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** A connection over a list that has an order of its own. */
export function paginateInOrder<T extends { readonly id: bigint }>(
  ctx: Ctx,
  items: readonly T[],
  args: PageArgs,
  view: (item: T) => unknown,
): Connection {
  const places = new Map(items.map((item, index) => [item.id, index]));
  return paginate(ctx, items, args, { positionOf: (item) => ({ value: places.get(item.id) ?? 0, id: item.id }), view });
}

function pageSize(ctx: Ctx, args: PageArgs): number {
  const asked = args.first ?? args.last;
  if (ctx.unlimited) return Number.MAX_SAFE_INTEGER;
  if (typeof asked !== "number") throw badRequest("you must provide one of first or last");
  if (asked < 0) throw badRequest("The page size cannot be negative");
  if (asked > MAX_PAGE) throw badRequest(`The page size ${asked} exceeds the maximum of ${MAX_PAGE}`);
  return asked;
}

function comparePositions(a: Position, b: Position): number {
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify({ last_id: position.id.toString(), last_value: position.value })).toString(
    "base64",
  );
}

function decodeCursor(cursor: string): Position {
  const match = /^\{"last_id":"(\d+)","last_value":(.+)\}$/.exec(Buffer.from(cursor, "base64").toString("utf8"));
  if (!match?.[1] || !match[2]) throw badRequest("Invalid cursor for current pagination sort.");
  const value: unknown = JSON.parse(match[2]);
  if (typeof value !== "number" && typeof value !== "string")
    throw badRequest("Invalid cursor for current pagination sort.");
  return { id: BigInt(match[1]), value };
}

export function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: "BAD_REQUEST" } });
}
