import { randomBytes } from "node:crypto";
import { open, readFile, rename, unlink } from "node:fs/promises";
import { VaultKeyError } from "../key-provider.ts";
import { openLocalProvider, parseKeyFile } from "../key-providers/local.ts";

/** Adds a new key to a key file; the others stay. @returns the version's name, a number above all others unless given */
export async function addLocalKey(
  path: string,
  options: { readonly version?: string; readonly primary: boolean },
): Promise<string> {
  const { text, versions } = await readKeyFile(path);
  const version = options.version ?? nextVersion(versions);
  if (!/^[\w.-]{1,40}$/.test(version)) {
    throw new VaultKeyError("A version's name has letters, digits, dots and dashes, at most 40.");
  }
  if (versions.includes(version)) throw new VaultKeyError(`The key file ${path} holds version ${version} already.`);
  const line = `pbk1:${version}:${randomBytes(32).toString("base64")}`;
  // With one key only, no line need be marked; with two, one must.
  const marked = withPrimary(`${text.trimEnd()}\n${line}\n`, options.primary ? version : primaryOf(versions));
  await replaceKeyFile(path, marked);
  return version;
}

/** Has another key of the file wrap from the next start on. */
export async function promoteLocalKey(path: string, version: string): Promise<void> {
  const { text, versions } = await readKeyFile(path);
  if (!versions.includes(version)) throw new VaultKeyError(`The key file ${path} holds no version ${version}.`);
  await replaceKeyFile(path, withPrimary(text, version));
}

/** Takes a key out of the file; the caller has made sure that nothing needs it. @throws VaultKeyError for the primary */
export async function removeLocalKey(path: string, version: string): Promise<void> {
  const { text, versions } = await readKeyFile(path);
  if (!versions.includes(version)) throw new VaultKeyError(`The key file ${path} holds no version ${version}.`);
  if (primaryOf(versions) === version) {
    throw new VaultKeyError(`Version ${version} wraps new keys; have another one do that first: patchbay keys promote`);
  }
  const left = text.split("\n").filter((line) => versionOf(line) !== version);
  await replaceKeyFile(path, left.join("\n"));
}

async function readKeyFile(path: string): Promise<{ readonly text: string; readonly versions: readonly string[] }> {
  const provider = await openLocalProvider(path);
  return { text: await readFile(path, "utf8"), versions: provider.versions() };
}

function primaryOf([primary = ""]: readonly string[]): string {
  return primary;
}

function nextVersion(versions: readonly string[]): string {
  return String(Math.max(0, ...versions.map(Number).filter(Number.isInteger)) + 1);
}

function versionOf(line: string): string | undefined {
  return /^\s*pbk1:([^:]+):/.exec(line)?.[1];
}

function withPrimary(text: string, version: string): string {
  return text
    .split("\n")
    .map((line) => {
      const found = versionOf(line);
      if (found === undefined) return line;
      const bare = line.trim().replace(/ primary$/, "");
      return found === version ? `${bare} primary` : bare;
    })
    .join("\n");
}

/** Whole or not at all: a process that starts meanwhile reads the old file or the new one. */
async function replaceKeyFile(path: string, text: string): Promise<void> {
  const problem = parseKeyFile(text);
  if (typeof problem === "string") throw new VaultKeyError(`The key file ${path} was not changed: ${problem}.`);
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(draft, "wx", 0o400);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await rename(draft, path);
  } catch (error) {
    await unlink(draft);
    throw error;
  }
}
