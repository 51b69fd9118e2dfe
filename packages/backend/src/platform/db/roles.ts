import type postgres from "postgres";

/** The login that the product uses. It owns nothing and may only step into the roles below. */
export const LOGIN_ROLE = "patchbay_login";
const ROLES = ["patchbay_owner", "patchbay_app", "patchbay_worker", "patchbay_ingest"] as const;

/**
 * Makes roles that do not exist yet, sets the login's password and lets it step into the roles.
 *
 * Roles belong to the whole cluster: other databases may have made them already, and two migrations may run at once,
 * hence the advisory lock. Needs a superuser or a login with CREATEROLE.
 */
export async function ensureRoles(sql: postgres.Sql, database: string, loginPassword: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('patchbay roles'))`;
    const [server] = await tx<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
    const present = new Set((await tx`select rolname from pg_roles`).map((row) => String(row["rolname"])));
    for (const role of ROLES) {
      if (!present.has(role)) await tx.unsafe(`create role ${role} nologin noinherit`);
    }
    const password = literal(loginPassword);
    const verb = present.has(LOGIN_ROLE) ? "alter" : "create";
    await tx.unsafe(`${verb} role ${LOGIN_ROLE} login noinherit nocreatedb nocreaterole password ${password}`);
    const options = (server?.version ?? 0) >= 160_000 ? " with inherit false, set true" : "";
    for (const role of ROLES) {
      await tx.unsafe(`grant ${role} to ${LOGIN_ROLE}${options}`);
    }
    await tx.unsafe(`grant patchbay_owner to current_user`);
    const name = `"${database.replaceAll('"', '""')}"`;
    await tx.unsafe(`grant create, connect, temporary on database ${name} to patchbay_owner`);
    await tx.unsafe(`grant connect on database ${name} to ${LOGIN_ROLE}`);
    await tx.unsafe(`grant create, usage on schema public to patchbay_owner`);
  });
}

/** What an operator runs whose login may not create roles; then `patchbay migrate` goes on. */
export function rolesScript(database: string): string {
  return [
    "-- Run once as a superuser or a role with CREATEROLE, then start Patchbay as patchbay_login.",
    ...ROLES.map((role) => `CREATE ROLE ${role} NOLOGIN NOINHERIT;`),
    `CREATE ROLE ${LOGIN_ROLE} LOGIN NOINHERIT PASSWORD 'choose-one';`,
    ...ROLES.map((role) => `GRANT ${role} TO ${LOGIN_ROLE};`),
    `GRANT CREATE, CONNECT, TEMPORARY ON DATABASE "${database}" TO patchbay_owner;`,
    "GRANT CREATE, USAGE ON SCHEMA public TO patchbay_owner;",
    "",
  ].join("\n");
}

function literal(text: string): string {
  if (text.includes("\0")) throw new Error("the login's password may not contain a NUL character");
  return `'${text.replaceAll("'", "''")}'`;
}
