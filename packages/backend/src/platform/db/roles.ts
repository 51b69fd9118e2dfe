import postgres from "postgres";

/** The login that the product uses. It owns nothing and may only step into the roles below. */
export const LOGIN_ROLE = "patchbay_login";
/** All that the login may step into. */
export const ROLES = [
  "patchbay_owner",
  "patchbay_maintenance",
  "patchbay_app",
  "patchbay_worker",
  "patchbay_ingest",
] as const;

/** What setting up steps into, whoever does it. */
const SETTING_UP = ["patchbay_owner", "patchbay_maintenance"] as const;

/** Somebody else changed the same rows of the catalogue: it goes well the next time, or the time after that. */
const TRIES_MAX = 20;
const TRY_AGAIN_MS_MAX = 200;

/**
 * Makes roles that do not exist yet, sets the login's password and lets it step into the roles.
 *
 * Roles belong to the whole cluster. Migrations of one database wait for each other at an advisory lock; those of
 * another database hold another one, and meet us in the catalogue. Needs a superuser or a login with CREATEROLE.
 */
export async function ensureRoles(sql: postgres.Sql, database: string, loginPassword: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await makeRoles(sql, database, loginPassword);
    } catch (error) {
      if (tries >= TRIES_MAX || !isMetInCatalogue(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * TRY_AGAIN_MS_MAX));
    }
  }
}

/** `tuple concurrently updated` has no code of its own; the others say that a role was made just now. */
function isMetInCatalogue(error: unknown): boolean {
  if (!(error instanceof postgres.PostgresError)) return false;
  return ["42710", "23505"].includes(error.code) || (error.code === "XX000" && error.routine === "simple_heap_update");
}

async function makeRoles(sql: postgres.Sql, database: string, loginPassword: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('patchbay roles'))`;
    const [server] = await tx<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
    const present = new Set((await tx`select rolname from pg_roles`).map((row) => String(row["rolname"])));
    for (const role of ROLES) {
      if (!present.has(role)) await tx.unsafe(`create role ${role} nologin noinherit`);
    }
    const password = literal(loginPassword);
    // A login that may only create roles may not say again what it may not do itself.
    const verb = present.has(LOGIN_ROLE) ? "alter role" : "create role";
    await tx.unsafe(`${verb} ${LOGIN_ROLE} login noinherit password ${password}`);
    const options = (server?.version ?? 0) >= 160_000 ? " with inherit false, set true" : "";
    for (const role of ROLES) {
      await tx.unsafe(`grant ${role} to ${LOGIN_ROLE}${options}`);
    }
    for (const role of SETTING_UP) await tx.unsafe(`grant ${role} to current_user`);
    const name = `"${database.replaceAll('"', '""')}"`;
    await tx.unsafe(`grant create, connect, temporary on database ${name} to patchbay_owner`);
    await tx.unsafe(`grant connect on database ${name} to ${LOGIN_ROLE}`);
    await tx.unsafe(`grant create, usage on schema public to patchbay_owner`);
  });
}

/** Roles of this version that do not exist on the server or that `patchbay_login` may not step into. */
export async function missingRoles(sql: postgres.Sql | postgres.TransactionSql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select r.rolname as name from pg_roles r
    where r.rolname = any(${[...ROLES]}) and pg_has_role(${LOGIN_ROLE}, r.oid, 'member')`;
  const present = new Set(rows.map(({ name }) => name));
  return ROLES.filter((role) => !present.has(role));
}

/** What an operator runs whose login may not create roles; then `patchbay migrate` goes on. Harmless to run again. */
export function rolesScript(database: string): string {
  return [
    "-- Run as a superuser or a role with CREATEROLE, then start Patchbay as patchbay_login.",
    ...ROLES.map((role) => createOnce(role, "NOLOGIN NOINHERIT")),
    createOnce(LOGIN_ROLE, "LOGIN NOINHERIT PASSWORD 'choose-one'"),
    ...ROLES.map((role) => `GRANT ${role} TO ${LOGIN_ROLE};`),
    `GRANT CREATE, CONNECT, TEMPORARY ON DATABASE "${database}" TO patchbay_owner;`,
    "GRANT CREATE, USAGE ON SCHEMA public TO patchbay_owner;",
    "",
  ].join("\n");
}

function createOnce(role: string, options: string): string {
  const test = `IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}')`;
  return `DO $$ BEGIN ${test} THEN CREATE ROLE ${role} ${options}; END IF; END $$;`;
}

function literal(text: string): string {
  if (text.includes("\0")) throw new Error("the login's password may not contain a NUL character");
  return `'${text.replaceAll("'", "''")}'`;
}
