import type { Hono } from "hono";
import { setTimeout as delay } from "node:timers/promises";
import { listChores } from "./chores.ts";
import type { Config } from "./config.ts";
import { connectorById, connectors } from "./connectors/index.ts";
import type { Connector } from "./connectors/kit/index.ts";
import { createAudit, type Audit } from "./domain/audit/index.ts";
import { findTenantUid, grantDied, grantRevived } from "./domain/connections/index.ts";
import {
  createKeyHealth,
  createNodeReport,
  createVault,
  followDestroyedKeys,
  keyStatus,
  startRotation,
  watchKeyHealth,
  type Keys,
} from "./domain/vault/index.ts";
import {
  authenticateApiKey,
  getWorkspace,
  listWorkspaceIds,
  toWorkspace,
  workspaceExists,
} from "./domain/workspaces/index.ts";
import {
  createDayOpener,
  inboxPartitionHealth,
  openInboxDays,
  type ConnectionOptions,
  type Database,
} from "./platform/db/index.ts";
import { createEgress } from "./platform/egress/index.ts";
import { createHousekeeping } from "./platform/jobs/index.ts";
import { createLaneWorker, createWake } from "./platform/lanes/index.ts";
import { createMetrics, type Logger } from "./platform/observability/index.ts";
import { VERSION, type Clock, type Secret } from "./platform/runtime/index.ts";
import { createConnect } from "./products/connect/index.ts";
import { createCredentials, createGrantNews } from "./products/credentials/index.ts";
import { createDelivery } from "./products/delivery/index.ts";
import { createErasures } from "./products/erasure/index.ts";
import { createIngest, latestRuns } from "./products/ingest/index.ts";
import { createProviderClient } from "./products/provider-client/index.ts";
import {
  confirmRestore,
  heldEgress,
  heldSince,
  repeatErasures,
  restoreStatus,
  watchHold,
} from "./products/restore/index.ts";
import { continueRotations } from "./continue-rotations.ts";
import { createWork } from "./create-work.ts";
import { addGauges, countedDeliveries, countedInbox, createProductMetrics, timedKeys } from "./product-metrics.ts";
import { createRotationJournal } from "./rotation-journal.ts";
import { SEALED_COLUMNS } from "./sealed-columns.ts";
import * as http from "./surface/http/index.ts";

export interface Product {
  readonly app: Hono<http.HttpEnv>;
  readonly audit: Audit;
  start(): Promise<void>;
  /** From now on not ready: load balancers look elsewhere. */
  drain(): void;
  /** Waits for work in hand, at most 25 s in all. */
  stop(): Promise<void>;
}

/** Lanes worked at the same time by one process, and what one of them takes at once. */
const LANES_MAX = 32;
const ITEMS_PER_LANE = 20;
/** Several are under way at once, and have a time of their own after which the lane goes to others. */
const DELIVERIES_PER_LANE = 64;
/** Erasures worked at the same time: they are in no hurry, and take long with much to remove. */
const ERASURES_MAX = 2;
/** Lanes of replays, of the inbox and of deliveries, worked at the same time: live work goes first. */
const REPLAYS_MAX = 2;

/** The composition root, in the order of the layers: the only place where parts meet. */
export async function compose(given: {
  readonly config: Config;
  readonly roles: { readonly api: boolean; readonly worker: boolean };
  readonly database: Database;
  readonly connection: ConnectionOptions;
  readonly keys: Keys;
  readonly operatorToken: Secret;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<Product> {
  const { config, roles, database, operatorToken, clock, log } = given;
  const { publicUrl, sandboxOrigins } = config;
  const random = Math.random;
  const sleep = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal });
  // Without a prototype: "constructor" is no provider.
  const connectorTable: Readonly<Record<string, Connector>> = Object.assign(
    Object.create(null),
    Object.fromEntries(connectors.map((connector) => [connector.id, connector])),
  );

  // Platform
  const metrics = createMetrics();
  const counted = createProductMetrics(metrics);
  const keys = timedKeys(given.keys, counted.keyService);
  const app = database.as("patchbay_app");
  const worker = database.as("patchbay_worker");
  const asMaintenance = database.as("patchbay_maintenance").withQueue;
  const wake = await createWake({ log, database });
  const grantNews = await createGrantNews({ log, database });
  const hold = await watchHold({ worker, log });
  const egress = heldEgress(createEgress({ log, onBlocked: () => counted.blocked.add() }), hold);

  // Domain
  const vault = createVault({
    withWorkspace: app.withWorkspace,
    keys,
    clock,
    onLookup: (found) => (found ? counted.cacheHits : counted.cacheMisses).add(),
    onKeyEvent: (event) => log.warn({ ...event }, "key provider in trouble"),
  });
  const destroyedKeys = await followDestroyedKeys({ database, vault, log });
  const keyHealth = createKeyHealth({ keys, clock });
  const audit = createAudit({ withWorkspace: app.withWorkspace, vault, clock });
  const asApp = { withWorkspace: app.withWorkspace, vault, audit, clock, wake, log };

  // Products
  const reaching = { egress, connectors: connectorTable, sandboxOrigins, random, sleep };
  const credentials = createCredentials({
    ...asApp,
    onRefreshAnswered: (provider, result) => counted.refreshes.add({ provider, result }),
    ...reaching,
    news: grantNews,
    onGrantDead: (death) => grantDied(asApp, death),
    onGrantRevived: (grant) => grantRevived(asApp, grant),
  });
  const client = createProviderClient({ ...reaching, credentials, clock, log });
  const ingest = createIngest({
    ...asApp,
    app,
    worker,
    ingest: database.as("patchbay_ingest"),
    client,
    connectorById,
    publicUrl,
    inboxRetentionDays: config.inboxRetentionDays,
    openInboxDays: createDayOpener((instants) => openInboxDays({ asMaintenance }, instants)),
    runIntervalMs: config.syncIntervalSeconds * 1_000,
  });
  const connect = createConnect({
    ...asApp,
    withTenant: app.withTenant,
    ...reaching,
    credentials,
    client,
    publicUrl,
    latestRuns,
    onActivated: (tx, { workspaceId, tenantUid, id }) =>
      ingest.onConnectionActivated(tx, { workspaceId, tenantUid, connectionId: id }),
    removeSubscriptions: ingest.removeSubscriptions,
    onEnded: (tx, { workspaceId, id }) => ingest.onConnectionEnded(tx, { workspaceId, connectionId: id }),
  });
  const delivery = createDelivery({
    ...asApp,
    app,
    worker,
    egress: countedDeliveries(egress, counted),
    endpointOrigins: config.endpointOrigins,
    retentionDays: config.deliveryRetentionDays,
    random,
  });

  const erasures = createErasures({
    ...asApp,
    app,
    worker,
    connect,
    ingest,
    inboxRetentionDays: config.inboxRetentionDays,
    backupRetentionDays: config.backupRetentionDays,
  });

  // Work
  const leaseMs = config.leaseSeconds * 1_000;
  const lanes = { database: worker, lanesMax: LANES_MAX, itemsPerLane: ITEMS_PER_LANE, leaseMs, clock, wake, log };
  const workers = [
    ingest.router,
    createLaneWorker({ ...lanes, kind: "connection", handle: ingest.handleLane }),
    delivery.sequencer,
    createLaneWorker({ ...lanes, itemsPerLane: DELIVERIES_PER_LANE, kind: "delivery", handle: delivery.handleLane }),
    createLaneWorker({ ...lanes, lanesMax: REPLAYS_MAX, kind: "deliveryReplay", handle: delivery.handleLane }),
    createLaneWorker({ ...lanes, lanesMax: REPLAYS_MAX, kind: "inboxReplay", handle: ingest.handleReplay }),
    createLaneWorker({ ...lanes, lanesMax: ERASURES_MAX, kind: "erasure", handle: erasures.handleLane }),
  ];
  const journalOf = (kind: "system" | "operator") => createRotationJournal(audit, { kind, id: null });
  const rotation = { database: worker, keys, clock, columns: SEALED_COLUMNS, journal: journalOf("system") };
  const node = createNodeReport({ withQueue: worker.withQueue, keys, log });
  const inboxPartitions = () => inboxPartitionHealth({ withQueue: worker.withQueue, clock }, config.inboxRetentionDays);
  addGauges(metrics, { database, rotation, inboxPartitions, heldSince: () => heldSince({ worker }) });
  const chores = listChores({
    ...asApp,
    database,
    connect,
    credentials,
    ingest,
    delivery,
    inboxRetentionDays: config.inboxRetentionDays,
    workRotations: (workspaceId) => continueRotations({ ...rotation, log }, workspaceId),
  });
  const housekeeping = createHousekeeping({ connection: given.connection, chores, log });
  const stopping = new AbortController();
  const work = createWork({ workers, housekeeping, hold, stopping: stopping.signal, log });
  const restoring = { ...asApp, worker, connectors: connectorTable, erasures };

  // Surface
  const authenticate = (key: string, address: string | null) => authenticateApiKey(asApp, key, address);
  const listWorkspaces = async () => {
    const ids = await listWorkspaceIds(worker.withQueue);
    return Promise.all(ids.map(async (id) => toWorkspace(await getWorkspace(app, id))));
  };
  const server = http.createApp({
    log,
    onAnswered: ({ seconds, method, route, status }) =>
      counted.requests.observe(seconds, { method, route, status: String(status) }),
    operatorToken,
    publicUrl,
    trustedProxies: config.trustedProxies,
    version: VERSION,
    isHeld: () => hold.isHeld(),
    audit,
    tenantOf: (workspaceId, of) => findTenantUid(asApp, workspaceId, of),
    workspaceExists: (workspaceId) => workspaceExists(asApp, workspaceId),
    authenticate,
    clock,
    idempotency: http.idempotency(asApp),
    connectGuard: http.connectGuard(connect),
    routes: [
      ...as("api", http.tenantRoutes(asApp)),
      ...as("api", http.erasureRoutes({ erasures })),
      ...as("api", http.connectSessionRoutes({ connect })),
      ...as("api", http.connectionRoutes({ connect })),
      ...as("api", http.runRoutes({ ingest })),
      ...as("api", http.recordRoutes(asApp)),
      // Before the route that takes any id.
      ...as("api", http.eventStreamRoutes({ delivery, authenticate, clock, stopping: stopping.signal })),
      ...as("api", http.eventRoutes({ delivery })),
      ...as("api", http.webhookEndpointRoutes({ delivery })),
      ...as("api", http.deliveryRoutes({ delivery })),
      ...as("api", http.deliveryReplayRoutes({ delivery })),
      ...as("api", http.inboxRoutes({ ingest })),
      ...as("api", http.providerRoutes({ ...asApp, connectors, sandboxOrigins, publicUrl, ingest })),
      ...as("api", http.apiKeyRoutes(asApp)),
      ...as("api", http.auditRoutes(asApp)),
      ...as("admin", http.apiKeyAdminRoutes(asApp)),
      ...as("connect", http.connectRoutes({ connect, ingest })),
      ...as(
        "admin",
        http.restoreRoutes({
          status: () => restoreStatus(restoring),
          async confirm(by) {
            const wasHeld = await confirmRestore(restoring, by);
            await hold.look();
            return wasHeld;
          },
          repeatErasures: (input) => repeatErasures(restoring, input),
        }),
      ),
      ...as("admin", http.adminRoutes({ ...asApp, withQueueAsWorker: worker.withQueue })),
      ...as(
        "admin",
        http.keyRoutes({
          keyStatus: () => keyStatus(rotation),
          startRotation: async (id, kind) => {
            const { id: workspaceId } = await getWorkspace(app, id);
            return startRotation({ ...rotation, journal: journalOf("operator") }, { workspaceId, kind });
          },
        }),
      ),
    ],
    mounts: [
      (hono) =>
        http.mountHealth(hono, {
          ping: () => database.ping(),
          keyHealth,
          draining: () => stopping.signal.aborted,
          isHeld: () => hold.isHeld(),
        }),
      (hono) =>
        http.mountInboxDoor(hono, { ingest: countedInbox(ingest, counted, (id) => connectorById(id) !== null), clock }),
      (hono) => http.mountMetrics(hono, { metrics, operatorToken }),
      (hono) => hono.use("/connect/*", http.connectCors),
      (hono) => http.mountBootstrap(hono, { connect }),
      (hono) => http.mountOAuth(hono, { connect }),
      (hono) => http.mountJwks(hono, asApp),
      (hono) =>
        http.mountConsole(hono, {
          operatorToken,
          clock,
          secureCookies: publicUrl.startsWith("https:"),
          listWorkspaces,
          recentRuns: (workspaceId, limit) => ingest.listRuns({ workspaceId, limit }),
          recentEvents: (workspaceId, limit) => delivery.feed.recentEvents({ workspaceId, limit }),
          recentDeliveries: (workspaceId, limit) => delivery.listDeliveries({ workspaceId, limit }),
        }),
    ],
  });

  return {
    app: server,
    audit,
    async start() {
      watchKeyHealth({ health: keyHealth, log, signal: stopping.signal });
      await node.start();
      if (roles.worker) await work.start();
    },
    drain() {
      stopping.abort();
    },
    async stop() {
      stopping.abort();
      hold.close();
      await work.stop();
      await credentials.settled();
      await destroyedKeys.close();
      await grantNews.close();
      await node.stop();
      await wake.close();
      await egress.close();
    },
  };
}

function as(audience: "api", routes: readonly http.ApiRoute[]): readonly http.AppDeps["routes"][number][];
function as(audience: "connect" | "admin", routes: readonly http.Route[]): readonly http.AppDeps["routes"][number][];
function as(audience: http.Audience, routes: readonly http.Route[]) {
  return routes.map((route) => ({ audience, route }));
}
