import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { createLocalKeyFile } from "./domain/vault/index.ts";
import { createOperatorToken } from "./operator-token.ts";

/**
 * Makes key file and operator token on the very first start on this machine. Where there is a database already, a
 * missing key file is not made anew: it would not open what the lost one sealed.
 */
export async function prepareLocalFiles(config: Config): Promise<void> {
  const isFirst = config.database !== null || !(await exists(join(config.dataDir, "cluster")));
  if (isFirst) await createLocalKeyFile(config.keyFile);
  await createOperatorToken(config.operatorTokenFile);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
