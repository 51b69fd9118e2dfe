import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "./config.ts";
import { createLocalKeyFile } from "./domain/vault/index.ts";
import { createOperatorToken } from "./operator-token.ts";
import { PatchbayStartError } from "./start-error.ts";

/**
 * Makes key file and operator token on the very first start on this machine. Where there is a database already, a
 * missing key file is not made anew: it would not open what the lost one sealed.
 *
 * @throws PatchbayStartError when a folder of theirs cannot be made or written to
 */
export async function prepareLocalFiles(config: Config): Promise<void> {
  const isLocal = config.keys.providers.some((provider) => provider.id === "local");
  const isFirst = config.database !== null || !(await exists(join(config.dataDir, "cluster")));
  if (isLocal && isFirst) await written("PATCHBAY_KEY_FILE", config.keyFile, createLocalKeyFile(config.keyFile));
  const tokenFile = config.operatorTokenFile;
  await written("PATCHBAY_OPERATOR_TOKEN_FILE", tokenFile, createOperatorToken(tokenFile));
}

async function written(setting: string, path: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why = WHY[code];
    if (why === undefined) throw error;
    const mend = `Make ${dirname(path)} a folder that this user may write to, or set PATCHBAY_DATA_DIR or ${setting}.`;
    throw new PatchbayStartError(`Cannot write ${path}: ${why}. ${mend}`, { cause: error });
  }
}

const WHY: Readonly<Record<string, string>> = {
  EEXIST: "a file stands where its folder should be",
  ENOTDIR: "a file stands where its folder should be",
  EACCES: "this user may not",
  EPERM: "this user may not",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
};

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
