import { execFile } from "node:child_process";
import { cp, lchown, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { binariesAt, linkLibraries, type Binaries } from "./binaries.ts";
import { EmbeddedPostgresError } from "./error.ts";
import type { Folder } from "./folder.ts";

/** As whom the server's programs run. PostgreSQL refuses to run as root. */
export interface Account {
  /** Put before each command. */
  readonly prefix: readonly string[];
  /** Passed to `spawn`: the user that the process becomes. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
  /** Who owns the server's files, seen from here. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/**
 * Root runs the server in a user namespace where root is mapped to an ordinary account, so that files stay root's and
 * any folder will do. Where namespaces are forbidden, the server becomes that account for real, with a copy of the
 * binaries if it may not read the package.
 */
export async function chooseAccount(
  binaries: Binaries,
  folder: Folder,
): Promise<{ account: Account; binaries: Binaries }> {
  const uid = process.getuid?.() ?? -1;
  const gid = process.getgid?.() ?? -1;
  if (uid !== 0) {
    const account: Account = { prefix: [], identity: {}, owner: { uid, gid } };
    requireRunning(await tryRun(account, binaries, folder));
    await requireOwn(folder.cluster, uid);
    return { account, binaries };
  }
  const user = ordinaryUser(await readFile("/etc/passwd", "utf8"));
  return (await inNamespace(user, binaries, folder)) ?? (await becoming(user, binaries, folder));
}

/** Runs one of the server's programs to its end. */
export async function runAs(account: Account, command: readonly string[], binaries: Binaries, folder: Folder) {
  const [program, ...rest] = [...account.prefix, ...command];
  if (program === undefined) throw new Error("no command");
  return run(program, rest, {
    ...account.identity,
    cwd: folder.root,
    env: { ...binaries.environment },
    timeout: PROGRAM_TIMEOUT_MS,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
}

/** A user of a passwd file to run the server as: one meant for that, else for nobody's files, else any but root. */
export function ordinaryUser(passwd: string): User {
  const users = passwd.split("\n").flatMap((line) => {
    const [name = "", , uid, gid] = line.split(":");
    const user = { name, uid: Number(uid), gid: Number(gid) };
    return user.uid > 0 && Number.isInteger(user.gid) ? [user] : [];
  });
  const [chosen] = [...PREFERRED.flatMap((name) => users.filter((user) => user.name === name)), ...users];
  if (chosen !== undefined) return chosen;
  throw new EmbeddedPostgresError(
    "The embedded database cannot run as root and this system has no other user: make one, or set DATABASE_URL to a PostgreSQL of your own.",
  );
}

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);
const PROGRAM_TIMEOUT_MS = 120_000;
const OUTPUT_BYTES_MAX = 1024 * 1024;
const PREFERRED = ["postgres", "nobody"];

async function inNamespace(user: User, binaries: Binaries, folder: Folder) {
  const account: Account = {
    prefix: ["unshare", "--user", `--map-user=${user.uid}`, `--map-group=${user.gid}`, "--"],
    identity: {},
    owner: { uid: 0, gid: 0 },
  };
  const allowed = await runAs(account, ["true"], binaries, folder).catch(() => null);
  if (allowed === null) return null;
  await giveTo(account, folder);
  return (await tryRun(account, binaries, folder)) === null ? { account, binaries } : null;
}

async function becoming(user: User, packaged: Binaries, folder: Folder) {
  const identity = { uid: user.uid, gid: user.gid };
  const account: Account = { prefix: [], identity, owner: identity };
  await giveTo(account, folder);
  if ((await tryRun(account, packaged, folder)) === null) return { account, binaries: packaged };
  const binaries = await copyBinaries(packaged, folder);
  await giveTo(account, folder);
  const refused = await tryRun(account, binaries, folder);
  if (refused === null) return { account, binaries };
  throw new EmbeddedPostgresError(
    `The embedded database cannot run as root, nor here as "${user.name}" (${refused}): start Patchbay as an ordinary user, keep its data where "${user.name}" may go, or set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

/** `null` when the server's binary runs as this account, else why not. */
async function tryRun(account: Account, binaries: Binaries, folder: Folder): Promise<string | null> {
  try {
    await runAs(account, [binaries.postgres, "--version"], binaries, folder);
    return null;
  } catch (error) {
    const output = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    return output || (error instanceof Error ? error.message : String(error));
  }
}

function requireRunning(refused: string | null): void {
  if (refused === null) return;
  throw new EmbeddedPostgresError(
    `The embedded database's program does not run on this system (${refused}): set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

async function requireOwn(cluster: string, uid: number): Promise<void> {
  const found = await stat(cluster).catch(() => null);
  if (found === null || found.uid === uid) return;
  throw new EmbeddedPostgresError(
    `${cluster} belongs to another user (uid ${found.uid}): start Patchbay as that user, or give the folder to this one.`,
  );
}

async function copyBinaries(packaged: Binaries, folder: Folder): Promise<Binaries> {
  const fresh = `${folder.binariesCopy}.new`;
  await rm(fresh, { recursive: true, force: true });
  await cp(packaged.native, fresh, { recursive: true });
  await rm(folder.binariesCopy, { recursive: true, force: true });
  await rename(fresh, folder.binariesCopy);
  await linkLibraries(folder.binariesCopy, folder.libraryLinks);
  return binariesAt(folder.binariesCopy, folder);
}

/** An earlier start may have run as another account; the server must own all of its cluster. */
async function giveTo(account: Account, folder: Folder): Promise<void> {
  const { uid, gid } = account.owner;
  await lchown(folder.root, uid, gid);
  for (const path of [folder.libraryLinks, folder.binariesCopy, folder.cluster, folder.socket, folder.serverLog]) {
    const found = await stat(path).catch(() => null);
    if (found !== null && found.uid !== uid) await giveTree(path, uid, gid);
  }
}

async function giveTree(path: string, uid: number, gid: number): Promise<void> {
  const entries = await readdir(path, { recursive: true }).catch(() => []);
  for (const entry of entries) await lchown(join(path, entry), uid, gid);
  await lchown(path, uid, gid);
}
