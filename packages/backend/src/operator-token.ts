import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ConfigError } from "./config.ts";
import { Secret, randomToken } from "./platform/runtime/index.ts";

/** Makes the operator's token on a first local start, readable by this user only. */
export async function createOperatorToken(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(path, `op_${randomToken(32)}\n`, { mode: 0o400, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "EEXIST") throw error;
  }
}

/** @throws ConfigError when the file is missing or too short to be a secret */
export async function readOperatorToken(path: string): Promise<Secret> {
  const text = await readFile(path, "utf8").catch(() => null);
  const token = text?.trim() ?? "";
  if (token.length < 32) {
    throw new ConfigError(
      `PATCHBAY_OPERATOR_TOKEN_FILE: ${path} holds no operator token; put at least 32 random characters in it`,
    );
  }
  return new Secret(token);
}
