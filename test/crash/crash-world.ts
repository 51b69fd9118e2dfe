import type { Connection } from "@patchbay/shared";
import type postgres from "postgres";
import { connectStore } from "../harness/connect-store.ts";
import type { TestProduct, TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { checkHistory, type Violation } from "./check-history.ts";
import { startServer, type Child } from "./child.ts";
import { collectHistory, recordVersions, waitingWork } from "./collect-history.ts";
import type { Receiver } from "./receiver.ts";

export const SHOP = "acme-goods.myshopify.com";
/** Short, so that what a killed process held is taken over soon; see `docs/operations.md`. */
export const LEASE = { PATCHBAY_LEASE_SECONDS: "2" } as const;

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

/** The product as a process that can be killed, with a store and a host that live on. */
export interface CrashWorld {
  readonly ground: Ground;
  readonly receiver: Receiver;
  readonly workspace: TestWorkspace;
  /** Webhook ids that were answered 2xx so far. */
  readonly accepted: Set<string>;
  readonly kills: number;
  start(): Promise<void>;
  kill(): Promise<void>;
  addEndpoint(name: string): Promise<string>;
  /** @param whileImporting runs as soon as the consent is given; the import goes on meanwhile */
  connect(whileImporting?: (connection: Connection) => Promise<void>): Promise<Connection>;
  act(verb: string, input?: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** Where the store's webhooks go. */
  inboxUrl(): string;
  noteAccepted(): void;
  /** Has the store repeat what was refused, until nothing waits anywhere. */
  settle(timeoutMs?: number): Promise<void>;
  violations(): Promise<readonly Violation[]>;
  stop(): Promise<void>;
}

/** One workspace with one tenant: one delivery at a time per endpoint. */
const RETRY_AFTER_MS = 10_000;
const SETTLE_MS_MAX = 60_000;

export async function createCrashWorld(
  ground: Ground,
  clock: ReturnType<typeof sandboxClock>,
  receiver: Receiver,
): Promise<CrashWorld> {
  const { sandbox } = ground;
  const { sql } = ground.database;
  const accepted = new Set<string>();
  let child: Child | null = await startServer(ground.env);
  let kills = 0;
  let endpoints = 0;
  let imported: ReadonlyMap<string, number> = new Map();
  const workspace = await ground.addWorkspace();
  sandbox.shopify.act(SHOP, "switches", { sixtyDayWindow: false });

  const noteAccepted = () => {
    for (const { webhookId, attempts } of sandbox.shopify.deliveries(SHOP)) {
      if (attempts.some(({ status }) => status !== null && status >= 200 && status < 300)) accepted.add(webhookId);
    }
  };
  const untold = () => sandbox.shopify.deliveries(SHOP).some(({ state }) => state === "waiting" || state === "held");

  return {
    ground,
    receiver,
    workspace,
    accepted,
    get kills() {
      return kills;
    },
    async start() {
      child = await startServer(ground.env);
    },
    async kill() {
      await child?.kill();
      child = null;
      kills += 1;
    },
    async addEndpoint(name) {
      const endpoint = await workspace.sdk.webhookEndpoints.create({ url: receiver.urlOf(name) });
      receiver.bind(name, endpoint);
      endpoints += 1;
      return endpoint.id;
    },
    async connect(whileImporting = async () => {}) {
      const connection = await connectStore(ground, workspace, { shop: SHOP, awaitImport: false });
      await whileImporting(connection);
      await waitFor(async () => (await workspace.sdk.connections.retrieve(connection.id)).lastSyncedAt, {
        timeoutMs: SETTLE_MS_MAX,
        what: "the first import",
      });
      imported = await recordVersions(sql);
      return connection;
    },
    act: (verb, input) => sandbox.shopify.act(SHOP, verb, input),
    inboxUrl() {
      const [delivery] = sandbox.shopify.deliveries(SHOP).filter(({ url }) => url.startsWith(`${ground.url}/in/`));
      if (delivery === undefined) throw new Error("the store has sent no webhook yet");
      return delivery.url;
    },
    noteAccepted,
    async settle(timeoutMs = SETTLE_MS_MAX) {
      const { webhooks } = sandbox.shopify;
      await waitFor(
        async () => {
          await webhooks.idle();
          noteAccepted();
          if (untold()) {
            sandbox.shopify.act(SHOP, "release-webhooks");
            clock.advance(RETRY_AFTER_MS);
            webhooks.retryDueNow();
            return false;
          }
          return Object.values(await waitingWork(sql)).every((count) => count === 0);
        },
        { timeoutMs, intervalMs: 100, what: "everything to be at rest" },
      ).catch(async (error: unknown) => {
        throw new Error(`not at rest: ${JSON.stringify(await waitingWork(sql))}`, { cause: error });
      });
    },
    async violations() {
      const { receipts } = receiver;
      const inFlightMax = Math.max(1, endpoints);
      const history = { sql, sandbox, shop: SHOP, accepted, imported, receipts, kills, inFlightMax };
      return checkHistory(await collectHistory(history));
    },
    async stop() {
      await child?.stop();
    },
  };
}
