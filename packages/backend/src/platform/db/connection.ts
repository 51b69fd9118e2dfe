/** Where a Postgres is and who we are there. `host` is a name, an address, or the folder of a unix socket. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly ssl?: boolean;
}

/**
 * Reads `postgres://user:password@host:port/database?sslmode=require`; `?host=/folder` names a unix socket's folder.
 *
 * @throws Error with one sentence that says what is wrong, without the password.
 */
export function parseDatabaseUrl(text: string): ConnectionOptions {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new Error("DATABASE_URL must look like postgres://user:password@host:5432/database");
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === "") throw new Error("DATABASE_URL names no database: add it after the host, as in …:5432/patchbay");
  if (url.username === "")
    throw new Error("DATABASE_URL names no user: put it before the host, as in postgres://user@…");
  const sslmode = url.searchParams.get("sslmode") ?? "disable";
  return {
    host: url.searchParams.get("host") ?? url.hostname,
    port: url.port === "" ? 5432 : Number(url.port),
    database,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ssl: sslmode !== "disable",
  };
}
