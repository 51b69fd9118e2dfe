import { createHash } from "node:crypto";
import { chown, lstat, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../observability/index.ts";
import type { Account } from "./account.ts";
import { EmbeddedPostgresError } from "./error.ts";
import type { Folder } from "./folder.ts";

/** A folder, open to the server's account alone, whose socket path fits the system's limit. */
export async function socketFolder(folder: Folder, account: Account, port: number, log: Logger): Promise<string> {
  if (fits(folder.socket, port)) return ownFolder(folder.socket, account);
  const name = `patchbay-${createHash("sha256").update(folder.root).digest("hex").slice(0, 16)}`;
  const short = [tmpdir(), "/tmp"].map((parent) => join(parent, name)).find((path) => fits(path, port));
  if (short === undefined) throw new EmbeddedPostgresError(`${folder.root} is too long a path for a unix socket.`);
  log.info({ folder: folder.root, socketDir: short }, "the data folder's path is too long for a unix socket");
  return ownFolder(short, account);
}

/** The least of the systems' limits (macOS: 104 bytes with the closing NUL). */
const SOCKET_PATH_BYTES_MAX = 103;
/** These separate hosts, ports and folders in connection settings. */
const SEPARATORS = /[,:"?]/;

function fits(folder: string, port: number): boolean {
  const path = join(folder, `.s.PGSQL.${port}`);
  return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX && !SEPARATORS.test(folder);
}

async function ownFolder(path: string, account: Account): Promise<string> {
  const { uid, gid } = account.owner;
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  const mine = found.isDirectory() && (found.uid === uid || found.uid === process.getuid?.());
  if (!mine || (found.mode & 0o077) !== 0) {
    throw new EmbeddedPostgresError(`${path} is not a folder of ours alone, so no database socket is put there.`);
  }
  if (found.uid !== uid) await chown(path, uid, gid);
  return path;
}
