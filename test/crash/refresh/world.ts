import { decodeId, type WorkspaceId } from "@patchbay/shared";
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type postgres from "postgres";
import { insertConnection } from "../../../packages/backend/src/domain/connections/index.ts";
import { createVault, openLocalKeys } from "../../../packages/backend/src/domain/vault/index.ts";
import { createWorkspace, putProviderApp, putTenant } from "../../../packages/backend/src/domain/workspaces/index.ts";
import { openDatabase, type ConnectionOptions } from "../../../packages/backend/src/platform/db/index.ts";
import { Secret, systemClock } from "../../../packages/backend/src/platform/runtime/index.ts";
import type { GrantTarget } from "../../../packages/backend/src/products/credentials/index.ts";
import type { RefreshTimings } from "../../../packages/backend/src/products/credentials/refresh-timings.ts";
import type { TokenLimit } from "../../../packages/backend/src/products/credentials/token-budget.ts";
import { CHILD_ENV } from "../../harness/child-env.ts";
import type { ChildOrder, ChildSetup } from "./node-child.ts";
import { startNode, type RefreshNode } from "./node.ts";
import { startPolicyServer, type Family, type Policy, type PolicyServer } from "./policy-server.ts";

/** A database with the product's schema. */
export interface RefreshGround {
  readonly connection: ConnectionOptions;
  /** As the superuser: to look at and arrange rows. */
  readonly sql: postgres.Sql;
}

/** A grant with one active connection, its access token expired. */
export interface Scenario {
  readonly target: GrantTarget;
  readonly family: Family;
}

export interface NodeProcess {
  /** Once it has said that it is ready. */
  readonly pid: number;
  order(order: ChildOrder): Promise<{ readonly atMs: number; readonly answers: readonly string[] }>;
  /** Sends the order and resolves when the process is gone. */
  orderToDeath(order: ChildOrder): Promise<void>;
  kill(): Promise<void>;
}

export interface RefreshWorld extends AsyncDisposable {
  readonly server: PolicyServer;
  node(timings?: RefreshTimings): Promise<RefreshNode>;
  /** @param how.clock as `faketime` takes it, such as `+5m`: what the process takes the time to be */
  process(how?: { readonly killAt?: string | undefined; readonly clock?: string }): Promise<NodeProcess>;
  /** @param beside of the same workspace and provider app; else it gets its own */
  aScenario(policy: Policy, beside?: Scenario): Promise<Scenario>;
  /** Time goes by for a grant: what is stored of it moves into the past. */
  passes(target: GrantTarget, ms: number): Promise<void>;
  /** How often the host was told that a person is needed. */
  reauthorizations(target: GrantTarget): Promise<number>;
  stateOf(target: GrantTarget): Promise<string>;
}

const CHILD = fileURLToPath(new URL("node-child.ts", import.meta.url));

/** @param limit of the token endpoint, as far as nodes in this process know it */
export async function createRefreshWorld(ground: RefreshGround, limit?: TokenLimit): Promise<RefreshWorld> {
  const { connection, sql } = ground;
  const folder = await mkdtemp(join(tmpdir(), "patchbay-refresh-"));
  const keyFile = join(folder, "keys");
  await writeFile(keyFile, `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  const keys = await openLocalKeys(keyFile);
  const server = await startPolicyServer();
  const { origin } = server;
  const database = openDatabase(connection, 4);
  const { withWorkspace } = database.as("patchbay_app");
  const vault = createVault({ withWorkspace, keys, clock: systemClock });
  const deps = { withWorkspace, vault, clock: systemClock, sandboxOrigins: [origin] };
  const desk = await startNode({ connection, keys, origin });
  const nodes: AsyncDisposable[] = [desk];

  async function aWorkspace(policy: Policy): Promise<WorkspaceId> {
    const made = await createWorkspace(deps, { name: "Refresh", mode: "test" });
    const workspaceId = decodeId("ws", made.id);
    if (workspaceId === null) throw new Error("no workspace id");
    const body = { clientId: "client", clientSecret: "s3cret", baseUrlOverride: origin };
    await putProviderApp(deps, { workspaceId, provider: policy, body });
    await putTenant(deps, { workspaceId, id: "acme", body: {} });
    return workspaceId;
  }

  async function aScenario(policy: Policy, beside?: Scenario): Promise<Scenario> {
    const family = server.authorize(policy);
    const workspaceId = beside?.target.workspaceId ?? (await aWorkspace(policy));
    const [app] = await sql`select id from provider_apps where workspace_id = ${workspaceId}`;
    const [tenant] = await sql`select uid from tenants where workspace_id = ${workspaceId}`;
    const accountId = `gid://shopify/Shop/${randomUUID()}`;
    const params = { shop: "acme.myshopify.com" };
    const { grantId } = await desk.credentials.storeGrant({
      workspaceId,
      provider: policy,
      providerAppId: app?.["id"],
      accountId,
      mode: "test",
      params,
      scopes: [],
      tokens: {
        accessToken: new Secret(family.accessToken),
        refreshToken: family.refreshToken === null ? null : new Secret(family.refreshToken),
        expiresInSeconds: 3600,
        refreshExpiresInSeconds: null,
        scopes: [],
      },
      issuedAt: systemClock.now(),
    });
    const sealer = await vault.sealer({ workspaceId, tenantUid: tenant?.["uid"], purpose: "payload" });
    await withWorkspace(workspaceId, (tx) =>
      insertConnection(
        tx,
        { clock: systemClock, sealer },
        {
          workspaceId,
          tenantUid: tenant?.["uid"],
          grantId,
          provider: policy,
          accountId,
          accountName: "Acme",
          accountUrl: null,
          accountAliases: [],
          accountCurrency: null,
          mode: "test",
          models: [],
          grantedScopes: [],
          params,
        },
      ),
    );
    const target = { workspaceId, grantId };
    await passes(target, 2 * 3_600_000);
    return { target, family };
  }

  async function passes({ workspaceId, grantId }: GrantTarget, ms: number): Promise<void> {
    const ago = `${ms} milliseconds`;
    await sql`update grants set
        access_expires_at = access_expires_at - ${ago}::interval, refresh_at = refresh_at - ${ago}::interval,
        dead_since = dead_since - ${ago}::interval, lease_until = lease_until - ${ago}::interval
      where workspace_id = ${workspaceId} and id = ${grantId}`;
    await sql`update token_budgets set blocked_until = blocked_until - ${ago}::interval
      where workspace_id = ${workspaceId}`;
  }

  return {
    server,
    async node(timings) {
      const node = await startNode({ connection, keys, origin, timings, limit });
      nodes.push(node);
      return node;
    },
    process: ({ killAt, clock } = {}) =>
      startProcess({ node: { connection, origin }, keyFile, killAt: killAt ?? null }, clock),
    aScenario,
    passes,
    async reauthorizations({ workspaceId }) {
      const rows = await sql`select 1 from events
        where workspace_id = ${workspaceId} and type = 'connection.reauthorizationRequired'`;
      return rows.length;
    },
    async stateOf({ workspaceId, grantId }) {
      const [row] = await sql`select state from grants where workspace_id = ${workspaceId} and id = ${grantId}`;
      return String(row?.["state"]);
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await database.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startProcess(setup: ChildSetup, clock?: string): Promise<NodeProcess> {
  const [command, ...args] = [...(clock === undefined ? [] : ["faketime", "-f", clock]), process.execPath, CHILD];
  const child = spawn(command ?? "", args, {
    // Only what the time is, not how fast it passes.
    env: { ...CHILD_ENV, REFRESH_NODE: JSON.stringify(setup), FAKETIME_DONT_FAKE_MONOTONIC: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.value !== "ready" || child.pid === undefined) throw new Error("a node did not start");
  const send = (order: ChildOrder) => child.stdin.write(`${JSON.stringify(order)}\n`);
  return {
    pid: child.pid,
    async order(order) {
      send(order);
      const line = await lines.next();
      if (line.done === true) throw new Error("a node ended before it answered");
      return JSON.parse(line.value);
    },
    async orderToDeath(order) {
      send(order);
      await gone;
    },
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
