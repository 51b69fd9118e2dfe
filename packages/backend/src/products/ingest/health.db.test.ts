import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../test/harness/ingest-world.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import type { ProviderFault, ProviderRequest } from "../../connectors/kit/index.ts";
import type { ProviderOutcome } from "../provider-client/index.ts";
import { hintItem } from "./tasks.ts";
import { enqueue } from "../../platform/lanes/index.ts";

let world: IngestWorld;
let connection: Awaited<ReturnType<IngestWorld["connect"]>>;
let straight: IngestWorld["between"]["call"];

beforeAll(async () => {
  world = await createIngestWorld({ orders: 3, products: 2, customers: 2 });
  straight = world.between.call;
  world.start();
});
beforeEach(async () => {
  connection = await world.connect();
});
afterEach(() => {
  world.between.call = straight;
});
afterAll(() => world.close());

describe("health", () => {
  test("is degraded once while a model's scopes are missing, whose model alone is left out", async () => {
    await setScopes(["read_products", "read_inventory", "read_orders"]);
    for (const _ of [1, 2]) {
      const run = await runToEnd();
      expect(run).toMatchObject({ status: "partial", problem: "missing_scope" });
      expect(run.models.find(({ model }) => model === "customer")).toMatchObject({ status: "skipped", done: 0 });
      expect(run.models.find(({ model }) => model === "order")).toMatchObject({ status: "completed" });
    }
    expect(await standing()).toEqual({ status: "active", health: "degraded", reason: "missing_scopes" });
    // The sandbox tells that everything is granted.
    await hint("checkAccount");
    await waitFor(async () => (await standing()).health === "ok");
    await waitFor(async () => (await liveRecords("customer")) > 0, { what: "the regained customers" });
    expect(await told()).toEqual(["connection.degraded", "connection.recovered"]);
  });

  test("is degraded once while fresh tokens are refused, and recovers with the run that works", async () => {
    world.between.call = refusing((request) => !isIdentity(request), { kind: "reauthorize" });
    for (const _ of [1, 2]) {
      expect(await runToEnd()).toMatchObject({ status: "failed", problem: "reauthorization_required" });
    }
    await settled();
    expect(await standing()).toEqual({ status: "active", health: "degraded", reason: "token_refused" });
    world.between.call = straight;
    expect(await runToEnd()).toMatchObject({ status: "completed" });
    expect(await standing()).toEqual({ status: "active", health: "ok", reason: null });
    expect(await told()).toEqual(["connection.degraded", "connection.recovered"]);
  });

  test("is degraded once while a model is refused to good tokens, blames no scopes, and recovers when it works", async () => {
    world.between.call = refusing((request) => isOf(request, "Customers"), { kind: "refused" });
    for (const _ of [1, 2]) {
      const run = await runToEnd();
      expect(run).toMatchObject({ status: "partial", problem: "access_refused" });
      await settled();
      expect(await standing()).toEqual({ status: "active", health: "degraded", reason: "access_refused" });
    }
    // That the account is told proves nothing of the model.
    await hint("checkAccount");
    await settled();
    expect(await standing()).toMatchObject({ health: "degraded", reason: "access_refused" });
    world.between.call = straight;
    expect(await runToEnd()).toMatchObject({ status: "completed" });
    expect(await standing()).toEqual({ status: "active", health: "ok", reason: null });
    expect(await told()).toEqual(["connection.degraded", "connection.recovered"]);
  });

  test("that does not come back, since tokens are refused each time they are looked at, ends in a repair", async () => {
    world.between.call = refusing(() => true, { kind: "reauthorize" });
    await runToEnd();
    await waitFor(async () => (await attemptsOf("checkAccount")) > 0);
    expect(await standing()).toMatchObject({ status: "active", reason: "token_refused" });
    await hurry("checkAccount", 8);
    await waitFor(async () => (await standing()).status === "reauthorizationRequired");
    expect(await told()).toEqual(["connection.degraded", "connection.reauthorizationRequired"]);
  });

  test("is degraded while the provider keeps the account closed", async () => {
    world.between.call = refusing(() => true, { kind: "suspended" });
    expect(await runToEnd()).toMatchObject({ status: "failed", problem: "account_suspended" });
    expect(await standing()).toMatchObject({ status: "active", health: "degraded", reason: "account_suspended" });
    world.between.call = straight;
    await runToEnd();
    expect(await told()).toEqual(["connection.degraded", "connection.recovered"]);
  });

  test("is degraded by the third failed run, not by the first", async () => {
    world.between.call = refusing((request) => isOf(request, "Customers"), { kind: "rejected", fields: [] });
    await runToEnd();
    await runToEnd();
    expect(await standing()).toMatchObject({ health: "ok" });
    await runToEnd();
    expect(await standing()).toMatchObject({ health: "degraded", reason: "runs_failing" });
    await runToEnd();
    world.between.call = straight;
    await runToEnd();
    expect(await told()).toEqual(["connection.degraded", "connection.recovered"]);
  });

  test("ends in a repair when the tokens open another account", async () => {
    await world.sql`update connections set account_id = 'gid://shopify/Shop/1' where id = ${connection.connectionId}`;
    await hint("checkAccount");
    await waitFor(async () => (await standing()).status === "reauthorizationRequired");
    expect(await standing()).toMatchObject({ reason: "account_mismatch" });
  });
});

describe("an uninstalled app", () => {
  test("ends the connections of every tenant on the account, each told once, and nothing of them is left", async () => {
    const other = await sharer();
    await world.activate(connection);
    await waitFor(async () => (await subscriptionCount()) > 0);
    await settled();
    world.sandbox.shopify.act(connection.shop, "uninstall");
    await waitFor(async () => (await standing()).status === "revoked");
    await settled();
    expect(await standing(other)).toEqual({ status: "revoked", health: "ok", reason: "access_revoked" });
    expect((await told()).filter((type) => type === "connection.revoked")).toHaveLength(1);
    expect(await told(other)).toEqual(["connection.revoked"]);
    expect(await subscriptionCount()).toBe(0);
    const open = await world.sql`select 1 from runs where status in ('queued', 'running')
      and connection_id in (${connection.connectionId}, ${other})`;
    expect(open).toHaveLength(0);
  });

  test("that was put in again before we heard of it ends nothing, and its webhooks are subscribed again", async () => {
    // Refused with the tokens of the former installation, while the new one's were stored.
    let asked = 0;
    world.between.call = async (target, request, options) => {
      if (!isIdentity(request) || asked++ > 0) return straight(target, request, options);
      await world.sql`update grants set row_version = row_version + 1 where id = ${connection.grantId}`;
      return refused({ kind: "reauthorize" });
    };
    await hint("confirmUninstall");
    await waitFor(async () => (await subscriptionCount()) > 0, { what: "subscriptions" });
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(await standing()).toMatchObject({ status: "active" });
    expect(await told()).toEqual([]);
  });

  test("is believed while the token endpoint refuses us too, without waiting for it to be for good", async () => {
    world.between.call = refusing(() => true, { kind: "unavailable" });
    await world.sql`update grants set state = 'dead', dead_since = now() where id = ${connection.grantId}`;
    await hint("confirmUninstall");
    await waitFor(async () => (await standing()).status === "revoked");
    expect(await told()).toEqual(["connection.revoked"]);
  });

  test("is not believed while the provider cannot be asked", async () => {
    world.between.call = refusing(() => true, { kind: "unavailable" });
    await hint("confirmUninstall");
    await waitFor(async () => (await attemptsOf("confirmUninstall")) > 0);
    expect(await standing()).toMatchObject({ status: "active" });
  });

  test("of an account that is no more is believed at the second look", async () => {
    world.between.call = refusing(() => true, { kind: "gone" });
    await hint("checkAccount");
    await waitFor(async () => (await standing()).status === "revoked");
    expect(await standing()).toMatchObject({ reason: "account_gone" });
    expect(await told()).toEqual(["connection.revoked"]);
  });
});

function refusing(which: (request: ProviderRequest) => boolean, fault: ProviderFault): typeof straight {
  return (target, request, options) =>
    which(request) ? Promise.resolve(refused(fault)) : straight(target, request, options);
}

function refused(fault: ProviderFault): ProviderOutcome {
  const now = new Date();
  return { ok: false, fault, requestId: null, outcome: "failed", read: { startedAt: now, endedAt: now } };
}

function isIdentity(request: ProviderRequest): boolean {
  return isOf(request, "ShopIdentity");
}

function isOf({ body }: ProviderRequest, operation: string): boolean {
  return typeof body === "object" && body !== null && "operationName" in body && body.operationName === operation;
}

async function runToEnd() {
  const { runId } = await world.ingest.triggerRun({ ...connection, kind: "manual", mode: "full" });
  return waitFor(async () => {
    const run = await world.ingest.getRun({ workspaceId: connection.workspaceId, runId });
    return run.finishedAt === null ? null : run;
  });
}

async function hint(task: "checkAccount" | "confirmUninstall"): Promise<void> {
  await world.database
    .as("patchbay_worker")
    .withWorkspace(connection.workspaceId, (tx) => enqueue(tx, [hintItem(connection, task, new Date())]));
  world.deps.wake.poke("lanes:connection");
}

/** Nothing of the connection is due any more. */
async function settled(): Promise<void> {
  await world.sandbox.shopify.webhooks.idle();
  await waitFor(async () => {
    const [row] = await world.sql`
      select (select count(*) from queue.arrivals) + (select count(*) from queue.feed)
        + (select count(*) from queue.items where run_at <= now() + interval '2 s') as left_over`;
    return Number(row?.["left_over"]) === 0;
  });
}

async function standing(connectionId: string = connection.connectionId) {
  const [row] = await world.sql<{ status: string; health: string; reason: string | null }[]>`
    select status, health, status_reason as reason from connections where id = ${connectionId}`;
  if (row === undefined) throw new Error("no connection");
  return { ...row };
}

/** What the host was told of the connection itself, oldest first. */
async function told(connectionId: string = connection.connectionId): Promise<readonly string[]> {
  const rows = await world.sql<{ type: string }[]>`
    select type from events where connection_id = ${connectionId} and type like 'connection.%' order by id`;
  return rows.map((row) => row.type);
}

async function setScopes(scopes: readonly string[]): Promise<void> {
  await world.sql`update connections set granted_scopes = ${[...scopes]} where id = ${connection.connectionId}`;
}

async function attemptsOf(task: string): Promise<number> {
  const [row] = await world.sql<{ attempts: number }[]>`
    select attempts from queue.items where lane_id = ${connection.connectionId} and task = ${task}`;
  return row?.attempts ?? 0;
}

async function hurry(task: string, attempts: number): Promise<void> {
  await world.sql`update queue.items set attempts = ${attempts}, run_at = now()
    where lane_id = ${connection.connectionId} and task = ${task}`;
  await world.sql`update queue.lanes set next_at = now() where lane_id = ${connection.connectionId}`;
  world.deps.wake.poke("lanes:connection");
}

/** A second tenant's connection to the same account, on the same grant. */
async function sharer(): Promise<string> {
  const [id, tenantUid] = [randomUUID(), randomUUID()];
  await world.sql`insert into tenants (workspace_id, uid, external_id, created_at, updated_at)
    values (${connection.workspaceId}, ${tenantUid}, ${tenantUid}, now(), now())`;
  await world.sql`insert into connections
    select (jsonb_populate_record(c, jsonb_build_object('id', ${id}::text, 'tenant_uid', ${tenantUid}::text))).*
    from connections c where c.id = ${connection.connectionId}`;
  return id;
}

async function subscriptionCount(): Promise<number> {
  return (await world.sql`select 1 from subscriptions where connection_id = ${connection.connectionId}`).length;
}

async function liveRecords(model: string): Promise<number> {
  return (
    await world.sql`select 1 from records where connection_id = ${connection.connectionId} and model = ${model}
      and not deleted`
  ).length;
}
