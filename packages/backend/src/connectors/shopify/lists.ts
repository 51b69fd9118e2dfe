/**
 * Lists ordered by `updated_at`, reads by id, and the completion of inline children: the same for customers, products
 * and orders but for their documents.
 */
import { z } from "zod";
import type { BatchRead, Expansion, PagedList, ProviderRequest, ProviderResponse } from "../kit/index.ts";
import { ConnectionPage, dataOf, nextCursor, variablesOf, withVariables } from "../kit/index.ts";
import { COST_MAX, gid, idOfType, read } from "./api.ts";
import { deniedFields } from "./errors.ts";

interface Listing {
  /** GraphQL type of the items. */
  readonly type: string;
  /** Root field of `document`. */
  readonly root: string;
  readonly document: string;
  readonly pageSize: PagedList["pageSize"];
  /** Points that one item with its usual children is charged: what a full page might take is given back at once. */
  readonly itemCost: number;
  readonly count: { readonly document: string; readonly root: string };
  readonly expansions: (item: unknown) => readonly Expansion[];
}

/**
 * All items changed since an instant, oldest change first.
 *
 * Shopify refuses to page deeper than 25,000 objects; before that, the walk starts anew at the last change it saw. How
 * deep a request is stands in a header of our own, which Shopify ignores.
 */
export function updatedList(listing: Listing): PagedList {
  const cost = (pageSize: number) => Math.ceil(1 + pageSize * listing.itemCost);
  return {
    pageSize: listing.pageSize,
    first: ({ since, pageSize }) =>
      atDepth(
        read(listing.document, { first: pageSize, after: null, query: since && updatedSince(since) }, cost(pageSize)),
        0,
      ),
    next(response, request) {
      const page = ConnectionPage.parse(dataOf(response)[listing.root]);
      const cursor = nextCursor(page, request);
      if (cursor === null) return null;
      const depth = depthOf(request) + page.nodes.length;
      const restart = depth < DEPTH_MAX - listing.pageSize.max ? null : laterStart(page, request);
      if (restart === null) return atDepth(withVariables(request, { after: cursor }), depth);
      return atDepth(withVariables(request, { after: null, query: restart }), 0);
    },
    items: (response) => withShop(response, ConnectionPage.parse(dataOf(response)[listing.root]).nodes),
    resize: (request, pageSize) => withVariables(request, { first: pageSize }, Math.min(cost(pageSize), COST_MAX)),
    count: {
      request: () => read(listing.count.document, {}, 1),
      parse: (response) => Count.safeParse(dataOf(response)[listing.count.root]).data?.count ?? null,
    },
    expansions: listing.expansions,
  };
}

/** Reads items by id. A missing one is `null` in the answer: it does not exist, or not for this token. */
export function readByIds(
  listing: Pick<Listing, "type" | "itemCost" | "expansions">,
  document: string,
  maxIds: number,
): BatchRead {
  return {
    maxIds,
    request: (remoteIds) =>
      read(
        document,
        { ids: remoteIds.map((id) => gid(listing.type, id)) },
        Math.ceil(1 + remoteIds.length * listing.itemCost),
      ),
    parse: (response) =>
      withShop(response, Nodes.parse(dataOf(response)).nodes).flatMap((item) => {
        const remoteId = idOfType(listing.type, item.id);
        return remoteId === null ? [] : [{ remoteId, item }];
      }),
    expansions: listing.expansions,
  };
}

/** A connection inside an object that goes on beyond its inline page. */
interface ChildConnection {
  /** Reads `nodes(ids: $ids)` with the connection, by `$first` and `$after`. */
  readonly document: string;
  readonly field: string;
  readonly pageSize: number;
}

/** Completes connections that stand directly in an item. One that is none of ours is left to its resource's `raw`. */
export function completeConnections(item: unknown, children: readonly ChildConnection[]): readonly Expansion[] {
  const parent = Parent.safeParse(item).data;
  if (parent === undefined) return [];
  return children.flatMap((child) => restOf(child, parent, (grown, change) => change(Parent.parse(grown))));
}

/**
 * The rest of `parent`'s children behind its inline page; empty when that has all.
 *
 * @param put applies a change to the parent, wherever in the item it stands
 */
export function restOf(
  child: ChildConnection,
  parent: Parent,
  put: (item: unknown, change: (parent: Parent) => Parent) => unknown,
): readonly Expansion[] {
  const pageInfo = ConnectionPage.safeParse(parent[child.field]).data?.pageInfo;
  if (!pageInfo?.hasNextPage) return [];
  return [
    {
      request: read(
        child.document,
        { ids: [parent.id], first: child.pageSize, after: pageInfo.endCursor },
        1 + child.pageSize,
      ),
      next(response, request) {
        const after = nextCursor(pageOf(response, child.field), request);
        return after === null ? null : withVariables(request, { after });
      },
      merge: (item, response) => put(item, (before) => appended(before, child.field, pageOf(response, child.field))),
    },
  ];
}

function appended(parent: Parent, field: string, page: ConnectionPage): Parent {
  const before = ConnectionPage.parse(parent[field]);
  return { ...parent, [field]: { nodes: [...before.nodes, ...page.nodes], pageInfo: page.pageInfo } };
}

/** Depth at which Shopify refuses to go on, with room for the page that reaches it. */
const DEPTH_MAX = 25_000;
const DEPTH_HEADER = "x-patchbay-depth";

function depthOf(request: ProviderRequest): number {
  return Number(request.headers?.[DEPTH_HEADER] ?? 0);
}

function atDepth(request: ProviderRequest, depth: number): ProviderRequest {
  return { ...request, headers: { [DEPTH_HEADER]: String(depth) } };
}

/** Whole seconds, as Shopify stores them; the fraction is cut, which only looks further back. */
function updatedSince(since: Date): string {
  return `updated_at:>='${since.toISOString().slice(0, 19)}Z'`;
}

/** The filter from the last change of `page` on, or `null` when that is where this walk began. */
function laterStart(page: ConnectionPage, request: ProviderRequest): string | null {
  const last = Updated.safeParse(page.nodes.at(-1)).data;
  if (last === undefined) return null;
  const query = updatedSince(new Date(last.updatedAt));
  return query === variablesOf(request)["query"] ? null : query;
}

/** Items with what the page says beside them: the shop, and which of their fields this token may not read. */
function withShop(response: ProviderResponse, nodes: readonly unknown[]): readonly Item[] {
  const { shop } = dataOf(response);
  const denied = deniedFields(response);
  return nodes.flatMap((node, index) => {
    const item = Node.safeParse(node).data;
    if (item === undefined) return [];
    return [
      {
        ...item,
        shop,
        denied: denied.filter((field) => field.index === index).map(({ path, reason }) => ({ path, reason })),
      },
    ];
  });
}

/** The connection in the answer to an expansion; empty when the parent is gone by now. */
function pageOf(response: ProviderResponse, field: string): ConnectionPage {
  const [parent] = Nodes.parse(dataOf(response)).nodes;
  const page = z.looseObject({ [field]: z.unknown() }).safeParse(parent).data?.[field];
  return ConnectionPage.safeParse(page).data ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
}

const Count = z.looseObject({ count: z.int() });
const Nodes = z.looseObject({ nodes: z.array(z.unknown()) });
const Node = z.looseObject({ id: z.string().optional() });
const Updated = z.looseObject({ updatedAt: z.iso.datetime() });
type Item = z.output<typeof Node>;
const Parent = z.looseObject({ id: z.string() });
export type Parent = z.output<typeof Parent>;
