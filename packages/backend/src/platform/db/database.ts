import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql, type SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from "drizzle-orm/postgres-js";
import type { ExtractTablesWithRelations } from "drizzle-orm";
import postgres from "postgres";
import { directConnection, type ConnectionOptions } from "./connection.ts";
import { createListener, type Listener, type OpenSession } from "./listen.ts";
import { preparing } from "./prepared.ts";
import { connectWatched } from "./watch-socket.ts";
import { sideBySide } from "./side-by-side.ts";

type NoSchema = Record<string, never>;
/** An open transaction. Writers that must be atomic with others take one. */
export type Tx = PostgresJsTransaction<NoSchema, ExtractTablesWithRelations<NoSchema>>;

export interface Planning {
  /**
   * Plans each statement once per connection, whatever its tables hold at that time: for what is done all the time, and
   * finds its rows by a whole key or by the one index that fits. Default: each time.
   */
  readonly planOnce?: boolean;
}

/** Runs `work` in one transaction in which row-level security shows this workspace and nothing else. */
export type WithWorkspace = <Result>(
  workspaceId: WorkspaceId,
  work: (tx: Tx) => Promise<Result>,
  how?: Planning,
) => Promise<Result>;
/** As {@link WithWorkspace}, and of the workspace this tenant's rows only: for what a connect session starts. */
export type WithTenant = <Result>(
  workspaceId: WorkspaceId,
  tenantUid: TenantUid,
  work: (tx: Tx) => Promise<Result>,
) => Promise<Result>;
/** Runs `work` in one transaction that sees schema `queue` (as far as the role may) and no workspace. */
export type WithQueue = <Result>(work: (tx: Tx) => Promise<Result>, how?: Planning) => Promise<Result>;

export type Role = "patchbay_app" | "patchbay_worker" | "patchbay_ingest" | "patchbay_maintenance" | "patchbay_owner";

/** The database as one role sees it. The pool itself is not to be had. */
export interface RoleDatabase {
  readonly withWorkspace: WithWorkspace;
  readonly withTenant: WithTenant;
  readonly withQueue: WithQueue;
  /**
   * One statement that adds rows of any workspaces and reads none, in a transaction of its own, with fewer round trips
   * than `withQueue` takes, and planned once. For what is done all the time.
   */
  readonly runAtOnce: (statement: SQL) => Promise<void>;
}

export interface Database {
  as(role: Role): RoleDatabase;
  /** Statements of this process that the database refused because they named no workspace; must stay 0. */
  contextMissing(): number;
  /** Answers a trivial query; for readiness. */
  ping(): Promise<void>;
  /** Hears what is notified on `channel` until closed, however often the connection for it is lost. */
  readonly listen: Listener["listen"];
  /** Tells other processes; a hint that may be lost. */
  notify(channel: string, payload: string): Promise<void>;
  close(): Promise<void>;
}

/** A transaction that sits idle this long is ended: it would hold back vacuum and locks. */
const IDLE_IN_TRANSACTION_MS_MAX = 10_000;
const STATEMENT_MS_MAX = 30_000;
const CONNECT_SECONDS_MAX = 10;
const KEEP_ALIVE_SECONDS = 30;
/** In a pool; who needs another one then opens it. */
const IDLE_SECONDS_MAX = 30;
/** A connection that was silent for longer is dead: by now the server itself would have ended statement or transaction. */
const SILENT_MS_MAX = Math.max(STATEMENT_MS_MAX, IDLE_SECONDS_MAX * 1_000) + 5_000;
const TIMEOUTS = {
  statement_timeout: STATEMENT_MS_MAX,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
} as const;
/**
 * Every statement is planned for the tables and values as they are then. A plan kept from when a table was small reads
 * it from end to end once it is large: queues go from empty to a hundred thousand rows within a minute, and 3 rows of
 * 50,000 took 130 ms.
 */
const PLANS = {
  plan_cache_mode: "force_custom_plan",
  // An index scan takes note of entries that are dead. A bitmap scan reads all that a queue left behind, each time,
  // until vacuum comes by: 2,000 blocks for the one event that waited.
  enable_bitmapscan: "off",
  // Every table has an index that begins with its workspace. So a statement without one fails, on empty tables too.
  enable_seqscan: "off",
} as const;
const PLANNED_ONCE = { plan_cache_mode: "force_generic_plan" } as const;

interface Context extends Planning {
  readonly role: Role;
  readonly workspaceId: string;
  readonly tenantUid: string;
}

/**
 * Opens a pool of at most `connectionsMax` connections. Each transaction says which role it runs as.
 *
 * A connection that stays open and answers nothing for `silentMsMax` is given up: whoever waits for it is told.
 */
export function openDatabase(
  connection: ConnectionOptions,
  connectionsMax: number,
  { silentMsMax = SILENT_MS_MAX } = {},
): Database {
  const client = connect(connection, connectionsMax, { silentMsMax });
  const pooled = connection.direct !== undefined;
  // A pooler gives each transaction another server connection, on which nothing that was prepared is to be found.
  const db = drizzle(preparing(client, !pooled), { casing: "snake_case" });
  const listener = createListener((hooks) => connect(directConnection(connection), 1, { hooks }));
  let contextMissing = 0;
  const begin = <Result>(context: Context, work: (tx: Tx) => Promise<Result>) =>
    transaction(db, context, pooled, work).catch((error: unknown) => {
      if (isContextMissing(error)) contextMissing += 1;
      throw error;
    });
  return {
    as: (role) => ({
      withWorkspace: (workspaceId, work, how) => begin({ role, workspaceId, tenantUid: "", ...how }, work),
      withTenant: async (workspaceId, tenantUid, work) => {
        // An empty setting means the whole workspace: what has no tenant must not get it this way.
        if (tenantUid.length === 0) throw new Error("a tenant scope without a tenant");
        return begin({ role, workspaceId, tenantUid }, work);
      },
      withQueue: (work, how) => begin({ role, workspaceId: "", tenantUid: "", ...how }, work),
      runAtOnce: (statement) => runAtOnce(client, role, pooled, statement),
    }),
    contextMissing: () => contextMissing,
    ping: async () => {
      await client`select 1`;
    },
    listen: (channel, hearing) => listener.listen(channel, hearing),
    notify: async (channel, payload) => {
      await client.notify(channel, payload);
    },
    async close() {
      await client.end({ timeout: 5 });
      await listener.close();
    },
  };
}

/** A postgres.js client with our limits. Only this folder calls it. */
export function connect(
  connection: ConnectionOptions,
  connectionsMax: number,
  how: {
    /** Of one that listens, and lives as long as it can. */
    readonly hooks?: Parameters<OpenSession>[0];
    /** Gives up connections that are silent for longer. Without it: for statements that may take as long as they like. */
    readonly silentMsMax?: number;
  } = {},
): postgres.Sql {
  const { hooks, silentMsMax } = how;
  const target = connection.host.startsWith("/")
    ? { path: `${connection.host}/.s.PGSQL.${connection.port}` }
    : { host: connection.host, port: connection.port };
  // The driver closes what is idle in time, so that silence means trouble.
  const watched: object =
    silentMsMax === undefined
      ? {}
      : { idle_timeout: IDLE_SECONDS_MAX, socket: () => connectWatched(target, silentMsMax) };
  return postgres({
    ...target,
    ...watched,
    database: connection.database,
    username: connection.user,
    password: connection.password,
    ssl: connection.ssl === true ? "require" : (connection.ssl ?? false),
    max: connectionsMax,
    connect_timeout: CONNECT_SECONDS_MAX,
    keep_alive: KEEP_ALIVE_SECONDS,
    onnotice: () => {},
    ...(hooks === undefined ? {} : { ...hooks, max_lifetime: null }),
    ...(connection.direct === undefined ? {} : { prepare: false }),
    // A pooler refuses settings at the start of a connection; there each transaction brings its own.
    connection: { application_name: "patchbay", ...(connection.direct === undefined ? { ...TIMEOUTS, ...PLANS } : {}) },
  });
}

function transaction<Result>(
  db: PostgresJsDatabase<NoSchema>,
  { role, workspaceId, tenantUid, planOnce = false }: Context,
  pooled: boolean,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return db.transaction(async (tx) => {
    const own = Object.entries(pooled ? { ...TIMEOUTS, ...PLANS } : planOnce ? PLANNED_ONCE : {});
    const settings = [["role", role], ["app.workspace_id", workspaceId], ["app.tenant_uid", tenantUid], ...own];
    const calls = settings.map(([name, value]) => sql`set_config(${name}, ${String(value)}, true)`);
    // On one connection statements run in the order in which they are sent: the first of the work need not wait for
    // this one's answer. If it fails, the transaction is aborted, and they with it.
    const context = tx.execute(sql`select ${sql.join(calls, sql`, `)}`);
    const [, done] = await sideBySide(context.execute(), work(tx));
    return done;
  });
}

/**
 * Role and statement go together; after a failure nothing stays.
 *
 * Not on a reserved connection, which would save the round trips of begin and commit: when one is lost, the driver
 * leaves whoever reserved it waiting for ever.
 */
async function runAtOnce(client: postgres.Sql, role: Role, pooled: boolean, statement: SQL): Promise<void> {
  const { sql: text, params } = DIALECT.sqlToQuery(statement);
  const settings = pooled ? TIMEOUTS : PLANNED_ONCE;
  const set = Object.entries(settings).map(([name, value]) => `set local ${name} = ${value}`);
  await client.begin(async (tx) => {
    const steps = await Promise.allSettled([
      tx.unsafe([`set local role ${role}`, ...set].join("; ")).execute(),
      tx.unsafe(text, params as never[], { prepare: !pooled }).execute(),
    ]);
    for (const step of steps) if (step.status === "rejected") throw step.reason;
  });
}

const DIALECT = new PgDialect({ casing: "snake_case" });

/** As `app.current_workspace()` raises it; drizzle wraps what the driver throws. */
function isContextMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message === "no workspace in this transaction" || isContextMissing(error.cause);
}
