import type { ConnectionId, GrantId, WorkspaceId } from "@patchbay/shared";
import type { Hono } from "hono";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "./config.ts";
import { connectors } from "./connectors/index.ts";
import { createVault, type KeyProvider } from "./domain/vault/index.ts";
import {
  authenticateApiKey,
  getProviderApp,
  getWorkspace,
  listWorkspaceIds,
  toWorkspace,
} from "./domain/workspaces/index.ts";
import {
  dropOldInboxPartitions,
  ensureInboxPartitions,
  type ConnectionOptions,
  type Database,
} from "./platform/db/index.ts";
import { createEgress } from "./platform/egress/index.ts";
import { createHousekeeping, type Chore } from "./platform/jobs/index.ts";
import { createLaneWorker, createWake } from "./platform/lanes/index.ts";
import type { Logger } from "./platform/observability/index.ts";
import { VERSION, type Clock, type Secret } from "./platform/runtime/index.ts";
import type { Roles } from "./patchbay.ts";
import { createConnect } from "./products/connect/index.ts";
import { createCredentials } from "./products/credentials/index.ts";
import { createDelivery } from "./products/delivery/index.ts";
import { createIngest } from "./products/ingest/index.ts";
import { createProviderClient } from "./products/provider-client/index.ts";
import {
  adminRoutes,
  connectGuard,
  connectionRoutes,
  connectRoutes,
  connectSessionRoutes,
  createApp,
  deliveryRoutes,
  eventRoutes,
  idempotency,
  inboxRoutes,
  mountConsole,
  mountHealth,
  mountInboxDoor,
  mountOAuth,
  providerRoutes,
  recordRoutes,
  runRoutes,
  tenantRoutes,
  webhookEndpointRoutes,
  type Audience,
  type HttpEnv,
  type Route,
} from "./surface/http/index.ts";

export interface Product {
  readonly app: Hono<HttpEnv>;
  start(): Promise<void>;
  /** From now on not ready: load balancers look elsewhere. */
  drain(): void;
  stop(): Promise<void>;
}

/** The composition root, in the order of the layers: the only place where parts meet. */
export async function compose(given: {
  readonly config: Config;
  readonly roles: Roles;
  readonly database: Database;
  readonly connection: ConnectionOptions;
  readonly keys: KeyProvider;
  readonly operatorToken: Secret;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<Product> {
  const { config, roles, database, keys, operatorToken, clock, log } = given;
  const random = Math.random;
  const sleep = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal });
  const connectorsById = Object.fromEntries(connectors.map((connector) => [connector.id, connector]));
  const connectorById = (id: string) => connectorsById[id] ?? null;

  // Platform
  const app = database.as("patchbay_app");
  const worker = database.as("patchbay_worker");
  const ingestRole = database.as("patchbay_ingest");
  const asOwner = database.as("patchbay_owner").withQueue;
  const alone = roles.api && roles.worker;
  const wake = await createWake({ log, database: alone ? null : database });
  const egress = createEgress({ log });

  // Domain
  const vault = createVault({ withWorkspace: app.withWorkspace, keys, clock });
  const workspacesDeps = { withWorkspace: app.withWorkspace, clock, vault, sandboxOrigins: config.sandboxOrigins };

  // Products
  const credentials = createCredentials({
    withWorkspace: app.withWorkspace,
    vault,
    connectors: connectorsById,
    egress,
    sandboxOrigins: config.sandboxOrigins,
    onGrantDead: (grant) => connect.requireReauthorization(grant),
    clock,
    random,
    log,
    sleep,
  });
  const client = createProviderClient({
    credentials,
    egress,
    connectors: connectorsById,
    sandboxOrigins: config.sandboxOrigins,
    clock,
    random,
    log,
    sleep,
  });
  const ingest = createIngest({
    app,
    worker,
    ingest: ingestRole,
    vault,
    client,
    connectorById,
    clock,
    wake,
    log,
    publicUrl: config.publicUrl,
    runIntervalMs: config.syncIntervalSeconds * 1_000,
  });
  const connect = createConnect({});
  const delivery = createDelivery({
    app,
    worker,
    vault,
    egress,
    endpointOrigins: config.endpointOrigins,
    clock,
    random,
    wake,
    log,
  });
  void [{} as ConnectionId, {} as GrantId, {} as WorkspaceId];
  throw new Error("unfinished");
}
