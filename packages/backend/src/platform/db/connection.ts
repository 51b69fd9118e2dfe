/** Where a Postgres is and who we are there. `host` is a name, an address, or the folder of a unix socket. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** `true`: encrypted; `"verify-full"`: and the server's certificate and name are checked. */
  readonly ssl?: boolean | "verify-full";
  /**
   * Set when the above leads to a pooler in transaction mode: the same database without it, for what needs a session of
   * its own (LISTEN, migrations, housekeeping).
   */
  readonly direct?: ConnectionOptions;
}

/** The server itself, past a pooler. */
export function directConnection(connection: ConnectionOptions): ConnectionOptions {
  return connection.direct ?? connection;
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
  const database = decode(url.pathname.slice(1));
  if (database === "") throw new Error("DATABASE_URL names no database: add it after the host, as in …:5432/patchbay");
  if (url.username === "")
    throw new Error("DATABASE_URL names no user: put it before the host, as in postgres://user@…");
  const sslmode = url.searchParams.get("sslmode") ?? "disable";
  const ssl = SSL_MODES.get(sslmode);
  if (ssl === undefined) throw new Error(`DATABASE_URL: sslmode must be ${[...SSL_MODES.keys()].join(", ")}`);
  return {
    host: url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 5432 : Number(url.port),
    database,
    user: decode(url.username),
    password: decode(url.password),
    ssl,
  };
}

/** libpq's modes; those that would fall back to plain text insist on encryption here. */
const SSL_MODES: ReadonlyMap<string, boolean | "verify-full"> = new Map<string, boolean | "verify-full">([
  ["disable", false],
  ["allow", true],
  ["prefer", true],
  ["require", true],
  ["verify-ca", "verify-full"],
  ["verify-full", "verify-full"],
]);

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new Error("DATABASE_URL has a % that begins no escape; write %25 for it", { cause: error });
  }
}
