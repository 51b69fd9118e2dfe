import {
  decodeId,
  type ApiKeyWithSecret,
  type CreateApiKey,
  type CreateWorkspace,
  type Workspace,
} from "@patchbay/shared";
import type { Server } from "node:http";
import { compose, type Product } from "./compose.ts";
import type { Config } from "./config.ts";
import { connectDatabase } from "./connect-database.ts";
import { checkKeys, openKeys } from "./domain/vault/index.ts";
import { authenticateApiKey } from "./domain/workspaces/index.ts";
import { listen } from "./listen.ts";
import { createOperatorActs } from "./operator-acts.ts";
import { readOperatorToken } from "./operator-token.ts";
import {
  findDurabilityProblems,
  findIsolationProblems,
  followDatabaseClock,
  type Database,
} from "./platform/db/index.ts";
import { createLogger, type Logger } from "./platform/observability/index.ts";
import type { Clock } from "./platform/runtime/index.ts";
import { PatchbayStartError } from "./start-error.ts";
import { consoleLink } from "./surface/http/index.ts";

/** What this process does; any number of processes may share one database. */
export interface Roles {
  readonly api: boolean;
  readonly worker: boolean;
}

/** A running product. */
export interface Patchbay {
  readonly url: string;
  readonly port: number;
  createWorkspace(input: CreateWorkspace): Promise<Workspace>;
  createApiKey(workspaceId: string, input: CreateApiKey): Promise<ApiKeyWithSecret>;
  /** Whether an API key is good. */
  authenticate(key: string): Promise<boolean>;
  consoleLink(): string;
  /** Stops taking work, finishes or hands back what runs (at most 25 s), closes everything. A second call waits for the first. */
  close(): Promise<void>;
}

export interface StartOptions {
  readonly config: Config;
  readonly roles: Roles;
  readonly log?: Logger;
  /** By default the database's, which all processes share. */
  readonly clock?: Clock;
}

/**
 * Starts the product: database, migrations, checks, then the roles asked for. Refuses to serve when isolation is not
 * in force or the keys are not the ones that the data was sealed with.
 *
 * @throws ConfigError or PatchbayStartError with a sentence for the operator
 */
export async function startPatchbay(options: StartOptions): Promise<Patchbay> {
  const { config, roles } = options;
  const log = options.log ?? createLogger(config.logLevel);
  const operatorToken = await readOperatorToken(config.operatorTokenFile);
  const keys = await openKeys(config.keys);
  const { database, connection, close: closeDatabase } = await connectDatabase(config, log);
  const following = new DisposableStack();
  const closeAll = async () => {
    following.dispose();
    await closeDatabase();
  };
  try {
    await refuseWithoutIsolation(database);
    const clock = options.clock ?? following.adopt(await followDatabaseClock({ database, log }), (own) => own.close());
    await warnWithoutDurability(database, log);
    await checkKeys({ database: database.as("patchbay_worker"), keys, clock });
    const product = await compose({ config, roles, database, connection, keys, operatorToken, clock, log });
    const server = await startAll(product, config, roles);
    const port = server === null ? 0 : portOf(server);
    const app = { withWorkspace: database.as("patchbay_app").withWorkspace, clock };
    const operator = createOperatorActs({ ...app, audit: product.audit, log });
    let closing: Promise<void> | null = null;
    const close = async () => {
      product.drain();
      if (server !== null) await closeServer(server);
      await product.stop();
      await closeAll();
    };
    return {
      url: config.port === 0 ? `http://localhost:${port}` : config.publicUrl,
      port,
      createWorkspace: (input) => operator.createWorkspace(input),
      createApiKey: (id, input) => {
        const workspaceId = decodeId("ws", id);
        if (workspaceId === null) throw new Error("not a workspace id");
        return operator.createApiKey(workspaceId, input);
      },
      authenticate: async (key) => (await authenticateApiKey(app, key, null)) !== null,
      consoleLink: () => consoleLink(config.publicUrl, operatorToken, clock.now()),
      close: () => (closing ??= close()),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const CLOSE_MS_MAX = 5_000;

/** The port first: when it is taken, nothing has begun to work. What began is stopped when the rest fails. */
async function startAll(product: Product, config: Config, roles: Roles): Promise<Server | null> {
  const server = roles.api ? await listen(product.app.fetch, config) : null;
  try {
    await product.start();
    return server;
  } catch (error) {
    server?.close();
    await product.stop();
    throw error;
  }
}

/** A warning and no refusal: whoever tries Patchbay out on a throw-away server may want its speed. */
async function warnWithoutDurability(database: Database, log: Logger): Promise<void> {
  const problems = await findDurabilityProblems(database);
  if (problems.length === 0) return;
  log.warn({ problems }, "the database server may forget what it acknowledged: turn these settings on");
}

async function refuseWithoutIsolation(database: Database): Promise<void> {
  const problems = await findIsolationProblems(database);
  if (problems.length === 0) return;
  throw new PatchbayStartError(
    `Patchbay does not serve while isolation between workspaces is not in force:\n- ${problems.join("\n- ")}\n` +
      "Run `patchbay migrate`; if that does not help, put roles and policies back as the migrations made them.",
  );
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX);
  await closed;
  clearTimeout(timer);
}
