import { decodeId, type Connection } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type postgres from "postgres";
import { inboxUrl, postWebhook } from "../e2e/delivery-order/webhook-post.ts";
import { connectStore } from "../harness/connect-store.ts";
import type { TestProduct, TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { checkHistory, type Violation } from "./check-history.ts";
import { prepareServer, startServer, type Child, type Standby } from "./child.ts";
import { collectHistory, recordVersions, waitingWork } from "./collect-history.ts";
import type { ErasedTenant } from "./history.ts";
import { addOnlooker, staleWrites } from "./onlooker.ts";
import type { Receiver } from "./receiver.ts";

export const SHOP = "acme-goods.myshopify.com";
/** Short, so that what a killed process held is taken over soon; see `docs/operations.md`. */
export const LEASE = { PATCHBAY_LEASE_SECONDS: "2" } as const;

/** A tenant and the store that is connected for it. */
export interface Store {
  readonly tenant: string;
  readonly shop: string;
}

/** Two tenants with a store each. */
export const STORES = [
  { tenant: "acme", shop: SHOP },
  { tenant: "globex", shop: "maison-lumiere.myshopify.com" },
] as const satisfies readonly Store[];

/** What a {@link CrashWorld} stands on: a database and a sandbox that survive, and settings for processes that do not. */
export interface Ground {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: TestProduct["sandbox"];
  readonly database: { readonly sql: postgres.Sql };
  addWorkspace(): Promise<TestWorkspace>;
}

/** The sandbox's clock: tests move it, so that a store repeats refused webhooks without anybody waiting for hours. */
export function sandboxClock() {
  let aheadMs = 0;
  return {
    now: () => new Date(Date.now() + aheadMs),
    advance: (ms: number) => {
      aheadMs += ms;
    },
  };
}

/** The product as a process that can be killed, with stores and a host that live on. */
export interface CrashWorld {
  readonly ground: Ground;
  readonly receiver: Receiver;
  readonly workspace: TestWorkspace;
  /** Webhook ids that were answered 2xx so far. */
  readonly accepted: Set<string>;
  readonly kills: number;
  /** How many are connected. */
  readonly stores: number;
  /** Of the store that was connected first. */
  readonly connectionId: string;
  /** The process that lives now. */
  readonly child: Child;
  /** The settings that it has. */
  readonly env: Readonly<Record<string, string>>;
  /** Has the next process loaded while this one lives: so it begins sooner. It is the next one that is started as it is. */
  prepare(): void;
  /** @param env on top of the ground's */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  kill(): Promise<void>;
  /** An orderly end, and a new process with these settings on top: no fault. */
  restart(more: Readonly<Record<string, string>>): Promise<void>;
  /** The process ends itself; the same as a kill. */
  died(): Promise<void>;
  /** The process has ended without {@link CrashWorld.kill}, or was cut off from something that it was at work with. */
  noteFault(): void;
  addEndpoint(name: string): Promise<string>;
  /** @param whileImporting runs as soon as the consent is given; the import goes on meanwhile */
  connect(whileImporting?: (connection: Connection) => Promise<void>, store?: Store): Promise<Connection>;
  act(verb: string, input?: Readonly<Record<string, unknown>>, shop?: string): Readonly<Record<string, unknown>>;
  /** Where the first store's webhooks go. */
  inboxUrl(): Promise<string>;
  /** Says that an order changed, signed, past the store's own sender; what is answered 2xx counts as accepted. */
  postWebhook(timeoutMs?: number): Promise<void>;
  noteAccepted(): void;
  eraseTenant(tenant: string): Promise<void>;
  /** Has the stores repeat what was refused, until nothing waits anywhere or the time is over. @returns how long it took */
  settle(timeoutMs?: number): Promise<number | null>;
  violations(): Promise<readonly Violation[]>;
  stop(): Promise<void>;
}

/** Attempts of each endpoint and tenant that may not be written down yet (`handle-lane.ts`). */
const AT_ONCE = 32;
const RETRY_AFTER_MS = 10_000;
const SETTLE_MS_MAX = 60_000;
const SETTLE_POLL_MS = 100;

export async function createCrashWorld(
  ground: Ground,
  clock: ReturnType<typeof sandboxClock>,
  receiver: Receiver,
): Promise<CrashWorld> {
  const { sandbox } = ground;
  const { sql } = ground.database;
  const accepted = new Set<string>();
  const stores: Store[] = [];
  const erasedTenants: ErasedTenant[] = [];
  const { env } = ground;
  let child: Child | null = await startServer(env);
  let standby: Standby | null = null;
  let kills = 0;
  let endpoints = 0;
  let drainedMs: number | null = null;
  let connectionId: string | null = null;
  const imported = new Map<string, number>();
  await addOnlooker(sql);
  const workspace = await ground.addWorkspace();

  const webhooks = () => STORES.flatMap(({ shop }) => sandbox.shopify.deliveries(shop));
  const noteAccepted = () => {
    for (const { webhookId, attempts } of webhooks()) {
      if (attempts.some(({ status }) => status !== null && status >= 200 && status < 300)) accepted.add(webhookId);
    }
  };
  const untold = () => webhooks().some(({ state }) => state === "waiting" || state === "held");
  const isAtRest = async () => {
    await sandbox.shopify.webhooks.idle();
    noteAccepted();
    if (untold()) {
      for (const { shop } of STORES) sandbox.shopify.act(shop, "release-webhooks");
      clock.advance(RETRY_AFTER_MS);
      sandbox.shopify.webhooks.retryDueNow();
      return false;
    }
    return Object.values(await waitingWork(sql)).every((count) => count === 0);
  };

  return {
    ground,
    receiver,
    workspace,
    accepted,
    get kills() {
      return kills;
    },
    get stores() {
      return stores.length;
    },
    get connectionId() {
      if (connectionId === null) throw new Error("no store is connected");
      return connectionId;
    },
    get child() {
      if (child === null) throw new Error("no process lives");
      return child;
    },
    prepare() {
      standby ??= prepareServer(env);
    },
    async start(more) {
      const next = more === undefined ? standby : null;
      if (next !== null) standby = null;
      child = await (next?.begin() ?? startServer({ ...env, ...more }));
    },
    env,
    async kill() {
      const mine = child;
      child = null;
      kills += 1;
      await mine?.kill();
    },
    async restart(more) {
      await child?.stop();
      child = await startServer({ ...env, ...more });
    },
    async died() {
      const mine = child;
      await mine?.ended();
      if (child !== mine) return;
      child = null;
      kills += 1;
    },
    noteFault() {
      kills += 1;
    },
    async addEndpoint(name) {
      const endpoint = await workspace.sdk.webhookEndpoints.create({ url: receiver.urlOf(name) });
      receiver.bind(name, endpoint);
      endpoints += 1;
      return endpoint.id;
    },
    async connect(whileImporting = async () => {}, store = { tenant: "acme", shop: SHOP }) {
      const { tenant, shop } = store;
      sandbox.shopify.act(shop, "switches", { sixtyDayWindow: false });
      const connection = await connectStore(ground, workspace, { tenantId: tenant, shop, awaitImport: false });
      stores.push(store);
      connectionId ??= connection.id;
      await whileImporting(connection);
      await waitFor(async () => (await workspace.sdk.connections.retrieve(connection.id)).lastSyncedAt, {
        timeoutMs: SETTLE_MS_MAX,
        what: "the first import",
      });
      for (const [id, version] of await recordVersions(sql, decodeId("conn", connection.id) ?? "")) {
        imported.set(id, version);
      }
      return connection;
    },
    act: (verb, input, shop = SHOP) => sandbox.shopify.act(shop, verb, input),
    inboxUrl: () => inboxUrl(sandbox),
    async postWebhook(timeoutMs = SETTLE_MS_MAX) {
      const [order] = sandbox.shopify.catalog(SHOP).orders.values();
      const webhookId = randomUUID();
      const post = { url: await inboxUrl(sandbox), topic: "orders/updated", body: `{"id":${order?.id}}`, webhookId };
      const late = delay(timeoutMs, 0, { ref: false });
      const status = await Promise.race([postWebhook(post).catch(() => 0), late]);
      if (status >= 200 && status < 300) accepted.add(webhookId);
    },
    noteAccepted,
    async eraseTenant(tenant) {
      await workspace.sdk.tenants.delete(tenant);
      erasedTenants.push({ tenant, erasedAtMs: Date.now() });
      stores.splice(0, stores.length, ...stores.filter((store) => store.tenant !== tenant));
    },
    async settle(timeoutMs = SETTLE_MS_MAX) {
      const startedMs = performance.now();
      drainedMs = null;
      while (drainedMs === null && performance.now() - startedMs < timeoutMs) {
        if (await isAtRest()) drainedMs = Math.round(performance.now() - startedMs);
        else await delay(SETTLE_POLL_MS);
      }
      return drainedMs;
    },
    async violations() {
      const { receipts } = receiver;
      const inFlightMax = AT_ONCE * Math.max(1, endpoints) * Math.max(1, stores.length);
      const facts = { stores, accepted, imported, receipts, erasedTenants, drainedMs, kills, inFlightMax };
      return checkHistory(await collectHistory({ sql, sandbox, staleWrites: await staleWrites(sql), ...facts }));
    },
    async stop() {
      standby?.drop();
      await child?.stop();
    },
  };
}
