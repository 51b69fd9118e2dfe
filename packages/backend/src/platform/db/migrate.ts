import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PgBoss } from "pg-boss";
import { z } from "zod";
import type { Logger } from "../observability/index.ts";
import { systemClock } from "../runtime/index.ts";
import { refuseUnfinishedRestore } from "./backup/restore-marker.ts";
import { directConnection, type ConnectionOptions } from "./connection.ts";
import { connect, openDatabase } from "./database.ts";
import { ensureInboxPartitions } from "./partitions.ts";
import { ensureRoles, LOGIN_ROLE, missingRoles, rolesScript } from "./roles.ts";
import { DatabaseSetupError, POOLER_ADVICE } from "./setup-error.ts";

/** The oldest server that has what the schema needs (`security_invoker`, `NULLS NOT DISTINCT`). */
const SERVER_VERSION_MIN = 150_000;
const BOSS_SCHEMA = "pgboss";

export interface MigrateOptions {
  /** A superuser, a login with CREATEROLE, or `patchbay_login` itself once the roles exist. */
  readonly connection: ConnectionOptions;
  /** The password that `patchbay_login` gets; unused when connecting as that login. */
  readonly loginPassword: string;
  readonly log: Logger;
}

/**
 * Brings a database to this version: roles, schema, partitions, the housekeeping queue. Safe to run again and by
 * several processes at once (an advisory lock lets one at a time).
 *
 * @throws DatabaseSetupError when the server is too old or lacks roles that the login may not create; BackupError when
 *   a restore into this database was not finished
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const connection = directConnection(options.connection);
  const client = connect(connection, 1);
  try {
    await refusePooler(client);
    await client`select pg_advisory_lock(hashtext('patchbay migrate'))`;
    await refuseUnfinishedRestore(client);
    await becomeOwner(client, options);
    await bringUpToDate(client);
  } finally {
    await client.end({ timeout: 5 });
  }
  await makePartitions(connection);
  options.log.info({ database: options.connection.database }, "database is up to date");
}

type Client = ReturnType<typeof connect>;

/** Every connection of ours brings settings. What swallows them gives one session to several as well. */
export async function refusePooler(client: Client): Promise<void> {
  const [row] = await client<{ arrived: boolean }[]>`select current_setting('statement_timeout') <> '0' as arrived`;
  if (row?.arrived !== true) throw new DatabaseSetupError(`Settings of the connection do not arrive. ${POOLER_ADVICE}`);
}

/** Makes the roles where this login may, and works as the owner from here on. */
export async function becomeOwner(client: Client, options: Omit<MigrateOptions, "log">): Promise<void> {
  await checkServer(client);
  if (options.connection.user === LOGIN_ROLE) await refuseWithoutRoles(client, options);
  else await makeRoles(client, options);
  await client`set role patchbay_owner`;
}

/** Everything that a process of this version needs, but the inbox's partitions. As the owner. */
export async function bringUpToDate(client: Client): Promise<void> {
  await applyMigrations(drizzle(client), { migrationsFolder: MIGRATIONS, migrationsSchema: "drizzle" });
  await installBoss(client);
}

/** The schema as it was after the migration of that time, for what was saved then. As the owner. */
export async function migrateUpTo(client: Client, createdAt: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-migrations-"));
  try {
    await cp(MIGRATIONS, folder, { recursive: true });
    const journal = Journal.parse(JSON.parse(await readFile(join(folder, JOURNAL), "utf8")));
    const entries = journal.entries.filter(({ when }) => when <= createdAt);
    await writeFile(join(folder, JOURNAL), JSON.stringify({ ...journal, entries }));
    await applyMigrations(drizzle(client), { migrationsFolder: folder, migrationsSchema: "drizzle" });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What this version can migrate to, oldest first. */
export function knownMigrations(): readonly { readonly createdAt: number; readonly hash: string }[] {
  return readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ folderMillis, hash }) => ({
    createdAt: folderMillis,
    hash,
  }));
}

const MIGRATIONS = fileURLToPath(new URL("../../../../../drizzle", import.meta.url));
const JOURNAL = join("meta", "_journal.json");
const Journal = z.looseObject({ entries: z.array(z.looseObject({ when: z.number() })) });

async function checkServer(client: Client): Promise<void> {
  const [row] = await client<{ version: number; name: string }[]>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as name`;
  if (row === undefined || row.version < SERVER_VERSION_MIN) {
    throw new DatabaseSetupError(`Patchbay needs PostgreSQL 15 or newer; this server is ${row?.name ?? "unknown"}.`);
  }
}

async function makeRoles(client: Client, options: Omit<MigrateOptions, "log">): Promise<void> {
  try {
    await ensureRoles(client, options.connection.database, options.loginPassword);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "42501") throw error;
    throw new DatabaseSetupError(
      `The login "${options.connection.user}" may not create roles. Let a superuser run this, then start again with ` +
        `DATABASE_URL naming ${LOGIN_ROLE}:\n\n${rolesScript(options.connection.database)}`,
      { cause: error },
    );
  }
}

/** A newer version may know a role that this server was never told of. */
async function refuseWithoutRoles(client: Client, options: Omit<MigrateOptions, "log">): Promise<void> {
  const missing = await missingRoles(client);
  if (missing.length === 0) return;
  throw new DatabaseSetupError(
    `This version works as ${missing.join(", ")} too, which ${LOGIN_ROLE} may not make. Let a superuser run this, ` +
      `then start again:\n\n${rolesScript(options.connection.database)}`,
  );
}

/** pg-boss's own tables, made by the owner; the product then runs it with `migrate: false`. */
async function installBoss(client: Client): Promise<void> {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => executeForBoss(client, text, values) },
    schema: BOSS_SCHEMA,
    supervise: false,
    schedule: false,
    // A start that ends here, for a wrong key say, leaves nothing behind.
    registerInstance: false,
  });
  await boss.start();
  await boss.stop({ graceful: false });
  await client.unsafe(`
    grant usage on schema ${BOSS_SCHEMA} to patchbay_worker;
    grant select, insert, update, delete on all tables in schema ${BOSS_SCHEMA} to patchbay_worker;
    grant usage on all sequences in schema ${BOSS_SCHEMA} to patchbay_worker;
    grant execute on all functions in schema ${BOSS_SCHEMA} to patchbay_worker;
    alter default privileges in schema ${BOSS_SCHEMA} grant select, insert, update, delete on tables to patchbay_worker;
  `);
}

/** Drizzle has turned the client's date encoding off; a text of several statements answers with a list for each. */
async function executeForBoss(client: Client, text: string, values: readonly unknown[] = []) {
  const encoded = values.map((value) => (value instanceof Date ? value.toISOString() : value));
  return { rows: (await client.unsafe(text, encoded as never[])).flat() };
}

export async function makePartitions(connection: ConnectionOptions): Promise<void> {
  const database = openDatabase(connection, 1);
  try {
    await ensureInboxPartitions({ asMaintenance: database.as("patchbay_maintenance").withQueue, clock: systemClock });
  } finally {
    await database.close();
  }
}
