import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../../test/harness/ingest-world.ts";
import { waitFor } from "../../../../../../test/harness/wait-for.ts";
import type { ProviderOutcome } from "../../provider-client/index.ts";

let world: IngestWorld;
type Connection = Awaited<ReturnType<IngestWorld["connect"]>>;
let straight: IngestWorld["between"]["call"];

beforeAll(async () => {
  world = await createIngestWorld({ orders: 90, products: 40, customers: 70 });
  straight = world.between.call;
  world.start();
});
afterEach(() => {
  world.between.call = straight;
});
afterAll(() => world.close());

describe("a run", () => {
  test("goes on from the page that a lost worker was reading, and doubles nothing", async () => {
    const connection = await world.connect();
    const pages: string[] = [];
    let lost = 0;
    world.between.call = async (target, request, options) => {
      const page = pageOf(request.body);
      if (page !== null) pages.push(page);
      const outcome = await straight(target, request, options);
      // After the answer and before the transaction: the worker is dead, and another one takes its lane.
      if (page !== null && pages.length % 2 === 0 && lost < 4) {
        lost++;
        await world.sql`update queue.lanes set lease_token = gen_random_uuid(), lease_until = now() where lane_id = ${connection.connectionId}`;
      }
      return outcome;
    };
    const run = await runToEnd(connection, "full");
    expect(run).toMatchObject({ status: "completed" });
    expect(lost).toBe(4);
    // Each loss repeats the one page that was being read.
    expect(pages.length).toBe(new Set(pages).size + lost);
    const { products, customers } = world.sandbox.shopify.catalog(connection.shop);
    expect(await count(connection, "product")).toBe(products.size);
    expect(await count(connection, "customer")).toBe(customers.size);
    for (const model of run.models) expect(model.done).toBe(await count(connection, model.model));
    const [versions] =
      await world.sql`select max(version)::int as max from records where connection_id = ${connection.connectionId}`;
    expect(versions).toEqual({ max: 1 });
  });

  test("asks for smaller pages when one is too large, and reads all the same", async () => {
    const connection = await world.connect();
    const sizes: number[] = [];
    world.between.call = (target, request, options) => {
      const size = sizeOf(request.body, "Customers");
      if (size === null) return straight(target, request, options);
      sizes.push(size);
      return size > 10 ? Promise.resolve(failure({ kind: "too_large" })) : straight(target, request, options);
    };
    const run = await runToEnd(connection, "full");
    expect(run).toMatchObject({ status: "completed" });
    expect(sizes.slice(0, 5)).toEqual([100, 50, 25, 12, 6]);
    expect(Math.max(...sizes.slice(4))).toBeLessThanOrEqual(10);
    expect(await count(connection, "customer")).toBe(world.sandbox.shopify.catalog(connection.shop).customers.size);
  });

  test("is partial when a model cannot be had, and leaves that model's cursor where it was", async () => {
    const connection = await world.connect();
    world.between.call = (target, request, options) =>
      sizeOf(request.body, "Customers") === null
        ? straight(target, request, options)
        : Promise.resolve(failure({ kind: "missing_scope", scope: "read_customers" }));
    const run = await runToEnd(connection, "full");
    expect(run).toMatchObject({ status: "partial", problem: "missing_scope" });
    expect(run.models.find(({ model }) => model === "customer")).toMatchObject({
      status: "failed",
      problem: "missing_scope",
    });
    expect(run.models.find(({ model }) => model === "order")).toMatchObject({ status: "completed" });
    const cursors = await world.sql<{ resource: string }[]>`
      select resource from sync_cursors where connection_id = ${connection.connectionId} order by 1`;
    expect(cursors.map(({ resource }) => resource)).toEqual(["orders", "products", "shop"]);
  });

  test("waits as long as the provider asks, without its lane", async () => {
    const connection = await world.connect();
    let refusals = 0;
    world.between.call = (target, request, options) => {
      if (sizeOf(request.body, "Products") === null || refusals >= 2) return straight(target, request, options);
      refusals++;
      return Promise.resolve(failure({ kind: "rate_limited", retryAfterSeconds: 0.2 }));
    };
    expect(await runToEnd(connection, "full")).toMatchObject({ status: "completed" });
    expect(refusals).toBe(2);
  });

  test("ends as failed when the provider refuses the tokens", async () => {
    const connection = await world.connect();
    world.between.call = () => Promise.resolve(failure({ kind: "reauthorize" }));
    expect(await runToEnd(connection, "full")).toMatchObject({ status: "failed", problem: "reauthorization_required" });
  });

  test("keeps a misshapen object in quarantine and goes on", async () => {
    const connection = await world.connect();
    world.between.call = async (target, request, options) => {
      const outcome = await straight(target, request, options);
      if (sizeOf(request.body, "Customers") === null || !outcome.ok) return outcome;
      const response = structuredClone(outcome.response) as { body: { data: { customers: { nodes: object[] } } } };
      Object.assign(response.body.data.customers.nodes[0] ?? {}, { tags: "no list", displayName: 7 });
      return { ...outcome, response } as ProviderOutcome;
    };
    const run = await runToEnd(connection, "full");
    const { customers } = world.sandbox.shopify.catalog(connection.shop);
    expect(run).toMatchObject({ status: "completed" });
    const customer = run.models.find(({ model }) => model === "customer");
    expect(customer).toMatchObject({ done: customers.size });
    expect(customer?.quarantined).toBeGreaterThan(0);
    const [kept] =
      await world.sql`select resource, issue_path, issue_code, remote_id from record_quarantine where connection_id = ${connection.connectionId} limit 1`;
    expect(kept).toMatchObject({ resource: "customers", issue_path: "displayName", issue_code: "invalid_type" });
  });

  test("ends when it is canceled, after the page it is reading; a second request changes nothing", async () => {
    const connection = await world.connect();
    const first = await world.ingest.triggerRun({ ...connection, kind: "manual", mode: "full" });
    let canceled = false;
    world.between.call = async (target, request, options) => {
      if (!canceled) await world.ingest.cancelRun({ ...connection, runId: first.runId });
      canceled = true;
      return straight(target, request, options);
    };
    const run = await ended(connection, first.runId);
    expect(run).toMatchObject({ status: "canceled" });
    expect(await world.ingest.cancelRun({ ...connection, runId: first.runId })).toEqual(run);
  });

  test("is one at a time for a connection", async () => {
    const connection = await world.connect();
    const both = await Promise.all(
      Array.from({ length: 5 }, () => world.ingest.triggerRun({ ...connection, kind: "manual", mode: "incremental" })),
    );
    expect(new Set(both.map(({ runId }) => runId)).size).toBe(1);
    expect(both.filter(({ alreadyQueued }) => !alreadyQueued)).toHaveLength(1);
    for (const { runId } of both) await ended(connection, runId);
  });

  test("is invisible to another workspace", async () => {
    const connection = await world.connect();
    const other = await world.connect();
    const { runId } = await world.ingest.triggerRun({ ...connection, kind: "manual", mode: "incremental" });
    const asOther = { workspaceId: other.workspaceId, runId };
    await expect(world.ingest.getRun(asOther)).rejects.toMatchObject({ code: "run_not_found" });
    await expect(world.ingest.cancelRun(asOther)).rejects.toMatchObject({ code: "run_not_found" });
    await expect(
      world.ingest.triggerRun({ ...connection, workspaceId: other.workspaceId, kind: "manual", mode: "full" }),
    ).rejects.toMatchObject({ code: "connection_not_found" });
    expect((await world.ingest.listRuns({ workspaceId: other.workspaceId, limit: 10 })).data).toEqual([]);
    expect(await ended(connection, runId)).toMatchObject({ status: "completed" });
  });

  test("lists newest first, page by page", async () => {
    const connection = await world.connect();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await runToEnd(connection, "incremental")).id);
    const first = await world.ingest.listRuns({ ...connection, limit: 2 });
    expect(first).toMatchObject({ hasMore: true, data: [{ id: ids[2] }, { id: ids[1] }] });
    const second = await world.ingest.listRuns({ ...connection, limit: 2, cursor: first.nextCursor ?? "" });
    expect(second).toMatchObject({ hasMore: false, nextCursor: null, data: [{ id: ids[0] }] });
    await expect(world.ingest.listRuns({ ...connection, limit: 2, cursor: "nonsense" })).rejects.toMatchObject({
      code: "invalid_cursor",
    });
  });

  test("gives way to a webhook of its own connection", async () => {
    const connection = await world.connect();
    const order: string[] = [];
    world.between.call = async (target, request, options) => {
      const name = operationOf(request.body);
      order.push(name);
      if (order.length === 2) await world.hint(connection, "customers", "1");
      return straight(target, request, options);
    };
    await runToEnd(connection, "full");
    const fetched = order.findIndex((name) => name.includes("ById") || name.includes("ByIds"));
    expect(fetched).toBeGreaterThan(1);
    expect(fetched).toBeLessThan(order.length - 1);
  });
});

async function runToEnd(connection: Connection, mode: "incremental" | "full") {
  const { runId } = await world.ingest.triggerRun({ ...connection, kind: "manual", mode });
  return ended(connection, runId);
}

function ended(connection: Connection, runId: Parameters<IngestWorld["ingest"]["getRun"]>[0]["runId"]) {
  return waitFor(
    async () => {
      const run = await world.ingest.getRun({ workspaceId: connection.workspaceId, runId });
      return run.finishedAt === null ? null : run;
    },
    { what: "the end of the run", timeoutMs: 25_000 },
  );
}

async function count(connection: Connection, model: string): Promise<number> {
  const rows = await world.sql`
    select 1 from records where connection_id = ${connection.connectionId} and model = ${model} and not deleted`;
  return rows.length;
}

interface GraphqlBody {
  readonly operationName: string;
  readonly variables: { readonly first?: number; readonly after?: string | null; readonly ids?: unknown };
}

function operationOf(body: unknown): string {
  return (body as GraphqlBody).operationName;
}

/** Names a page of a list; `null` for other requests. */
function pageOf(body: unknown): string | null {
  const { operationName, variables } = body as GraphqlBody;
  return variables.after === undefined || variables.ids !== undefined ? null : `${operationName} ${variables.after}`;
}

function sizeOf(body: unknown, operation: string): number | null {
  const { operationName, variables } = body as GraphqlBody;
  return operationName === operation && variables.ids === undefined ? (variables.first ?? null) : null;
}

function failure(fault: Extract<ProviderOutcome, { ok: false }>["fault"]): ProviderOutcome {
  const now = new Date();
  return { ok: false, fault, requestId: null, outcome: "failed", read: { startedAt: now, endedAt: now } };
}
