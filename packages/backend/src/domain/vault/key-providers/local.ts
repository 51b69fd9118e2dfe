import { createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { KeyProviderError, VaultKeyError, type BoundContext, type KeyProvider } from "../key-provider.ts";
import { pae } from "../pae.ts";
import { XAES_NONCE_BYTES, XAES_TAG_BYTES, openXaes, sealXaes } from "../xaes.ts";
import { contextBytes } from "./context.ts";

const KEY_BYTES = 32;
const VERSIONS_MAX = 100;

/**
 * Makes a key file with one new key, readable by its owner alone, unless there is a file already. Only the start
 * command of a local installation calls this: there is no default key.
 */
export async function createLocalKeyFile(path: string): Promise<"created" | "present"> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(draft, "wx", 0o400);
  try {
    await file.writeFile(`pbk1:1:${randomBytes(KEY_BYTES).toString("base64")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // A link is made whole or not at all and replaces nothing, so that no half-written key is ever in place.
    await link(draft, path);
    return "created";
  } catch (error) {
    if (codeOf(error) === "EEXIST") return "present";
    throw error;
  } finally {
    await unlink(draft);
  }
}

/**
 * Key-encryption keys from a file of lines `pbk1:<version>:<base64 of 32 bytes>`; with several lines, ` primary` stands
 * behind the one that wraps.
 *
 * @throws VaultKeyError when the file is missing, open to others, or not of that form
 */
export async function openLocalProvider(path: string): Promise<KeyProvider> {
  await checkFile(path);
  const keys = parseKeyFile(await readFile(path, "utf8"));
  if (typeof keys === "string") throw new VaultKeyError(`The key file ${path} cannot be used: ${keys}.`);
  const { byVersion, primary } = keys;
  return {
    id: "local",
    holds: (version) => byVersion.has(version),
    versions: () => [primary, ...[...byVersion.keys()].filter((version) => version !== primary)],
    async wrap(key, context, version = primary) {
      const nonce = randomBytes(XAES_NONCE_BYTES);
      const sealed = sealXaes(keyOf(byVersion, version), nonce, key, contextBytes(context, version));
      return Buffer.concat([Buffer.from([FORMAT]), nonce, sealed]);
    },
    async unwrap(wrapped, version, context) {
      const key = keyOf(byVersion, version);
      const first = wrapped.byteLength === FIRST_FORMAT_BYTES;
      const from = first ? 0 : 1;
      if (!first && wrapped[0] !== FORMAT) throw new KeyProviderError("local", "wrong", "unknown format");
      const nonce = wrapped.subarray(from, from + XAES_NONCE_BYTES);
      const bound = first ? firstBoundTo(version, context) : contextBytes(context, version);
      try {
        return openXaes(key, nonce, wrapped.subarray(from + XAES_NONCE_BYTES), bound);
      } catch (error) {
        throw new KeyProviderError("local", "wrong", `version ${version}`, { cause: error });
      }
    },
  };
}

/** `format: 1 | nonce: 24 | key and tag: 48`; the first format had no byte of its own and knew no deployment. */
const FORMAT = 2;
const FIRST_FORMAT_BYTES = XAES_NONCE_BYTES + KEY_BYTES + XAES_TAG_BYTES;

/** Whether it was wrapped after keys were bound to a deployment. */
export function bindsDeployment(held: { readonly provider: string; readonly wrapped: Uint8Array }): boolean {
  return held.provider !== "local" || held.wrapped.byteLength !== FIRST_FORMAT_BYTES;
}

interface Keys {
  readonly byVersion: ReadonlyMap<string, KeyObject>;
  readonly primary: string;
}

/** @returns what is wrong, without what stands in the file */
export function parseKeyFile(text: string): Keys | string {
  const byVersion = new Map<string, KeyObject>();
  const primaries: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [, version = "", encoded = "", mark] =
      /^pbk1:([\w.-]{1,40}):([A-Za-z0-9+/]{43}=)( primary)?$/.exec(trimmed) ?? [];
    const key = Buffer.from(encoded, "base64");
    if (key.byteLength !== KEY_BYTES) return `line ${index + 1} is not pbk1:<version>:<base64 of 32 bytes>`;
    if (byVersion.has(version)) return `version ${version} stands there twice`;
    if (byVersion.size >= VERSIONS_MAX) return `it holds more than ${VERSIONS_MAX} keys`;
    byVersion.set(version, createSecretKey(key));
    if (mark !== undefined) primaries.push(version);
  }
  const [only] = byVersion.size === 1 ? byVersion.keys() : primaries;
  if (only === undefined) return byVersion.size === 0 ? "it holds no key" : "no key is marked primary";
  if (primaries.length > 1) return "several keys are marked primary";
  return { byVersion, primary: only };
}

async function checkFile(path: string): Promise<void> {
  const facts = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT")
      throw new VaultKeyError(`There is no key file at ${path}; restore it from your backup.`);
    throw error;
  });
  if (process.platform === "win32") return;
  if ((facts.mode & 0o077) !== 0) {
    throw new VaultKeyError(`The key file ${path} can be read by others; run: chmod 400 ${path}`);
  }
  if (facts.uid !== process.getuid?.()) throw new VaultKeyError(`The key file ${path} belongs to another user.`);
}

function keyOf(keys: ReadonlyMap<string, KeyObject>, version: string): KeyObject {
  const key = keys.get(version);
  if (key === undefined) throw new VaultKeyError(`The key file lacks version ${version}, which this database needs.`);
  return key;
}

function firstBoundTo(version: string, { v, use, workspaceId, keyId }: BoundContext): Uint8Array {
  return pae(["pb.kek1", version, String(v), use, workspaceId, keyId]);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
