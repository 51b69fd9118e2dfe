import { chmod, lstat, mkdir, readFile, writeFile } from "node:fs/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EmbeddedPostgresError } from "./error.ts";

/** Where everything of one embedded database lies. */
export interface Folder {
  readonly root: string;
  /** PGDATA. */
  readonly cluster: string;
  /** A cluster in the making; renamed to `cluster` when whole. */
  readonly unfinishedCluster: string;
  /** Links that the npm package leaves to an install script. */
  readonly libraryLinks: string;
  /** A copy of the binaries, made only where the server's account cannot read the package. */
  readonly binariesCopy: string;
  readonly socket: string;
  readonly serverLog: string;
  readonly superuserPassword: string;
  readonly loginPassword: string;
  readonly lock: string;
  readonly holder: string;
}

/** Makes the folder when missing. */
export async function openFolder(dataDir: string): Promise<Folder> {
  const root = resolve(dataDir);
  const inside = (name: string) => join(root, name);
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new EmbeddedPostgresError(`The data folder ${root} cannot be made: ${reasonOf(error)}`, { cause: error });
  }
  return {
    root,
    cluster: inside("cluster"),
    unfinishedCluster: inside("cluster.unfinished"),
    libraryLinks: inside("lib"),
    binariesCopy: inside("binaries"),
    socket: inside("socket"),
    serverLog: inside("postgres.log"),
    superuserPassword: inside("superuser.password"),
    loginPassword: inside("login.password"),
    lock: inside("owner.lock"),
    holder: inside("owner.pid"),
  };
}

/**
 * Makes this process the folder's only owner until `release` or its death.
 *
 * SQLite is used for its file lock alone: Node has no other that the kernel frees when the holder is killed, and a
 * file with a pid in it goes stale.
 */
export function holdFolder(folder: Folder): { release(): void } {
  const database = openLock(folder);
  try {
    database.exec("begin exclusive");
    writeFileSync(folder.holder, String(process.pid));
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw cannotWrite(folder, error);
    throw new EmbeddedPostgresError(
      `Patchbay is already running with the data folder ${folder.root}${holderOf(folder)}; stop it first.`,
      { cause: error },
    );
  }
  return { release: () => database.close() };
}

/** Reads a password file, or makes it with mode 0400. A cluster without its password is told plainly. */
export async function readOrMakePassword(path: string, folder: Folder, make: () => string): Promise<string> {
  const known = await readFile(path, "utf8").catch(absent);
  if (known !== null && known.trim() !== "") return known.trim();
  if (path === folder.superuserPassword && (await lstat(folder.cluster).catch(absent)) !== null) {
    throw new EmbeddedPostgresError(
      `${path} is missing, without which the database beside it cannot be opened: put it back from a copy, or move ${folder.root} away to start empty.`,
    );
  }
  const password = make();
  try {
    await writeFile(path, `${password}\n`, { mode: 0o600 });
    await chmod(path, 0o400);
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  return password;
}

const SQLITE_BUSY = 5;

function openLock(folder: Folder): DatabaseSync {
  try {
    return new DatabaseSync(folder.lock, { timeout: 0 });
  } catch (error) {
    throw cannotWrite(folder, error);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}

function holderOf(folder: Folder): string {
  try {
    return ` (process ${readFileSync(folder.holder, "utf8")})`;
  } catch {
    return "";
  }
}

function cannotWrite(folder: Folder, error: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(`The data folder ${folder.root} cannot be written: ${reasonOf(error)}`, {
    cause: error,
  });
}

function absent(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
