import { chown, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../observability/index.ts";
import { runAs, type Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { EmbeddedPostgresError } from "./error.ts";
import type { Folder } from "./folder.ts";

interface ClusterOptions {
  readonly folder: Folder;
  readonly account: Account;
  readonly binaries: Binaries;
  readonly password: string;
  readonly fsync: boolean;
  readonly log: Logger;
}

/** Makes the cluster on first use; refuses one that this server's version cannot open. */
export async function prepareCluster(options: ClusterOptions): Promise<void> {
  const { folder } = options;
  const present = await entriesOf(folder.cluster);
  if (present.length === 0) return makeCluster(options);
  const version = await readFile(join(folder.cluster, "PG_VERSION"), "utf8").catch(() => null);
  if (version === null) throw new EmbeddedPostgresError(brokenCluster(folder, "it has no PG_VERSION file"));
  const { stdout } = await runAs(options.account, [options.binaries.postgres, "--version"], options.binaries, folder);
  const brought = /\d+/.exec(stdout)?.[0] ?? "unknown";
  if (version.trim() === brought) return;
  throw new EmbeddedPostgresError(
    `${folder.cluster} was made by PostgreSQL ${version.trim()} and this Patchbay brings ${brought}: dump it with the Patchbay that made it and load it into an empty folder, or set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

export function brokenCluster(folder: Folder, reason: string): string {
  return `The database in ${folder.cluster} is damaged (${reason}): restore it from a copy, or move ${folder.root} away to start empty.`;
}

/** Made under another name, so that an interrupted first start leaves nothing that looks whole. */
async function makeCluster({ folder, account, binaries, password, fsync, log }: ClusterOptions): Promise<void> {
  const startedAt = performance.now();
  const passwordFile = `${folder.unfinishedCluster}.password`;
  await rm(folder.unfinishedCluster, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, password, { mode: 0o400 });
  await chown(passwordFile, account.owner.uid, account.owner.gid);
  const flags = [
    `--pgdata=${folder.unfinishedCluster}`,
    "--username=postgres",
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    ...(fsync ? [] : ["--no-sync"]),
  ];
  try {
    await runAs(account, [binaries.initdb, ...flags], binaries, folder);
  } catch (error) {
    const output = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    throw new EmbeddedPostgresError(`The database could not be made in ${folder.root}: ${output}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(folder.unfinishedCluster, folder.cluster);
  log.info({ folder: folder.root, elapsedMs: Math.round(performance.now() - startedAt) }, "database cluster made");
}

async function entriesOf(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT") return [];
    throw new EmbeddedPostgresError(`${path} cannot be read: ${String(error)}`, { cause: error });
  }
}
