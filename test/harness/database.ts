import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { inject } from "vitest";
import { databaseUrl } from "../../packages/backend/src/platform/db/embedded/index.ts";
import { LOGIN_ROLE, type ConnectionOptions } from "../../packages/backend/src/platform/db/index.ts";
import type {} from "./global-postgres.ts"; // types `inject`

export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  /** As the product's login, which may step into the app, worker, ingest and owner roles. */
  readonly connection: ConnectionOptions;
  /** `connection` as a `DATABASE_URL`, for whole processes. */
  readonly url: string;
  /** As the superuser, whom row-level security does not bind: to look at and arrange data, never to run the product. */
  readonly adminConnection: ConnectionOptions;
  readonly sql: postgres.Sql;
  /** Ends everybody's connections to the database and deletes it. */
  drop(): Promise<void>;
}

/** A fresh, migrated database of the test file's own: call in `beforeAll`, `drop` in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(inject("postgres").template);
}

/** One that nothing was ever migrated in, which the product's login may do. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const database = await createDatabase("template0");
  await database.sql.unsafe("grant create, usage on schema public to patchbay_owner");
  return database;
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const { admin, loginPassword } = inject("postgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await asAdmin(admin, async (sql) => {
    await sql.unsafe(`create database ${name} template ${template} strategy file_copy`);
    // A database's own grants are not copied from its template.
    await sql.unsafe(`grant create, connect, temporary on database ${name} to patchbay_owner`);
    await sql.unsafe(`grant connect on database ${name} to ${LOGIN_ROLE}`);
  });
  const adminConnection = { ...admin, database: name };
  const connection = { ...adminConnection, user: LOGIN_ROLE, password: loginPassword };
  const sql = postgres({ ...adminConnection, max: ADMIN_CONNECTIONS_MAX, onnotice: () => {} });
  const drop = async () => {
    await sql.end({ timeout: 5 });
    await asAdmin(admin, (server) => server.unsafe(`drop database if exists ${name} with (force)`));
  };
  return { name, connection, url: databaseUrl(connection), adminConnection, sql, drop, [Symbol.asyncDispose]: drop };
}

const ADMIN_CONNECTIONS_MAX = 2;

async function asAdmin<T>(admin: ConnectionOptions, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres({ ...admin, max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
