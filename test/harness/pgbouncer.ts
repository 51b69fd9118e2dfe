import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { databaseUrl } from "../../packages/backend/src/platform/db/embedded/index.ts";
import type { ConnectionOptions } from "../../packages/backend/src/platform/db/index.ts";
import { freePort } from "./free-port.ts";
import { scratchRoot } from "./scratch-root.ts";
import { waitFor } from "./wait-for.ts";

export interface PgBouncer extends AsyncDisposable {
  /** Through the pooler, with the way past it in `direct`. */
  readonly connection: ConnectionOptions & { readonly direct: ConnectionOptions };
  /** The same as settings. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where the program is; `null` when it is not installed. */
export async function findPgBouncer(): Promise<string | null> {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const path = join(folder, "pgbouncer");
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}

/** A pooler in transaction mode in front of one database. */
export async function startPgBouncer(
  program: string,
  direct: ConnectionOptions,
  options: { readonly poolSize: number; readonly clientsMax?: number; readonly ignores?: string },
): Promise<PgBouncer> {
  const folder = await mkdtemp(join(await scratchRoot(), "pgbouncer-"));
  const port = await freePort();
  const [settings, users] = ["settings.ini", "users.txt"].map((name) => join(folder, name));
  if (settings === undefined || users === undefined) throw new Error("no files");
  await writeFile(users, `"${direct.user}" "${direct.password}"\n`);
  await writeFile(
    settings,
    `[databases]
${direct.database} = host=${direct.host} port=${direct.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${options.poolSize}
max_client_conn = ${options.clientsMax ?? 200}
server_connect_timeout = 5
server_login_retry = 1
ignore_startup_parameters = ${options.ignores ?? ""}
`,
  );
  // PgBouncer refuses to run as root. In a user namespace it is somebody else and still reaches the server's socket.
  const asRoot = process.getuid?.() === 0;
  const elsewhere = ["--user", "--map-user=65534", "--map-group=65534", "--", program, settings];
  const child = spawn(asRoot ? "unshare" : program, asRoot ? elsewhere : [settings], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  await waitFor(() => answers(port), { what: "PgBouncer" }).catch((error: unknown) => {
    throw new Error(`PgBouncer did not start: ${said.join("").slice(-2_000)}`, { cause: error });
  });
  const { host: _, ssl: __, ...login } = direct;
  const connection = { ...login, host: "127.0.0.1", port, direct };
  return {
    connection,
    env: {
      DATABASE_URL: databaseUrl(connection),
      PATCHBAY_DATABASE_DIRECT_URL: databaseUrl(direct),
    },
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.kill("SIGTERM")) await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.end());
  });
}
