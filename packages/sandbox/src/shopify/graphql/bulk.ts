import { Kind, parse, type SelectionSetNode } from "graphql";
import { newId } from "../store.ts";
import type { BulkOperation } from "../world.ts";
import type { Ctx } from "./context.ts";
import type { Engine } from "./engine.ts";

const MAX_CONNECTIONS = 5;
/** How long an export takes by the sandbox's clock. */
const DURATION_MS = 2000;

/** Starts an export, or says what is wrong with its query. */
export function startBulk(engine: Engine, ctx: Ctx, query: string): BulkOperation | string {
  const prepared = engine.prepare({ query, variables: {}, operationName: null });
  if ("errors" in prepared) return "Invalid bulk query: the query could not be parsed or validated.";
  if (prepared.operation.operation !== "query") return "Invalid bulk query: only queries are allowed.";
  const connections = countConnections(prepared.operation.selectionSet);
  if (connections === 0) return "Bulk queries must contain at least one connection.";
  if (connections > MAX_CONNECTIONS) return `Bulk queries cannot contain more than ${MAX_CONNECTIONS} connections.`;
  const bulk: BulkOperation = {
    id: newId(ctx.store),
    clientId: ctx.install.clientId,
    query,
    createdAt: ctx.store.now(),
    status: "CREATED",
    completedAt: null,
    result: null,
    errorCode: null,
  };
  ctx.shop.bulkOperations.set(bulk.id, bulk);
  return bulk;
}

/** Moves the app's exports on as far as the clock allows, and tells subscribers of those that ended. */
export async function settleBulk(engine: Engine, ctx: Ctx): Promise<void> {
  const now = ctx.world.clock.now().getTime();
  const open = [...ctx.shop.bulkOperations.values()].filter(
    (bulk) => bulk.clientId === ctx.install.clientId && (bulk.status === "CREATED" || bulk.status === "RUNNING"),
  );
  for (const bulk of open) {
    if (now - bulk.createdAt.getTime() < DURATION_MS) {
      bulk.status = "RUNNING";
      continue;
    }
    await finish(engine, ctx, bulk);
  }
}

async function finish(engine: Engine, ctx: Ctx, bulk: BulkOperation): Promise<void> {
  const request = { query: bulk.query, variables: {}, operationName: null };
  const result = await engine.run({ ...ctx, unlimited: true }, parse(bulk.query), request);
  const lines = exportLines(result.data);
  const roots = lines.filter((line) => !("__parentId" in line)).length;
  bulk.completedAt = ctx.store.now();
  bulk.status = result.errors ? "FAILED" : "COMPLETED";
  bulk.errorCode = result.errors ? "ACCESS_DENIED" : null;
  bulk.result = { jsonl: lines.map((line) => `${JSON.stringify(line)}\n`).join(""), objects: lines.length, roots };
  ctx.emit("bulk_operations/finish", () => ({
    admin_graphql_api_id: `gid://shopify/BulkOperation/${bulk.id}`,
    completed_at: bulk.completedAt?.toISOString() ?? null,
    created_at: bulk.createdAt.toISOString(),
    error_code: bulk.errorCode?.toLowerCase() ?? null,
    status: bulk.status.toLowerCase(),
    type: "query",
  }));
}

type Row = Record<string, unknown>;

/** One line a node; a node inside another's connection stands on a line of its own with `__parentId`. */
function exportLines(data: unknown): Row[] {
  const lines: Row[] = [];
  for (const value of Object.values(isRow(data) ? data : {})) {
    for (const node of nodesOf(value)) pushNode(lines, node, null);
  }
  return lines;
}

function pushNode(lines: Row[], node: Row, parentId: unknown): void {
  const own: Row = {};
  const children: Row[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (isConnection(value)) children.push(...nodesOf(value));
    else own[key] = value;
  }
  lines.push(parentId === null ? own : { ...own, __parentId: parentId });
  for (const child of children) pushNode(lines, child, own["id"] ?? null);
}

function nodesOf(connection: unknown): Row[] {
  if (!isRow(connection)) return [];
  const { nodes, edges } = connection;
  if (Array.isArray(nodes)) return nodes.filter(isRow);
  return Array.isArray(edges)
    ? edges
        .filter(isRow)
        .map((edge) => edge["node"])
        .filter(isRow)
    : [];
}

function isConnection(value: unknown): boolean {
  return isRow(value) && (Array.isArray(value["nodes"]) || Array.isArray(value["edges"]));
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function countConnections(set: SelectionSetNode): number {
  let count = 0;
  for (const selection of set.selections) {
    if (selection.kind !== Kind.FIELD || !selection.selectionSet) continue;
    if (selection.name.value === "edges" || selection.name.value === "nodes") count++;
    count += countConnections(selection.selectionSet);
  }
  return count;
}
