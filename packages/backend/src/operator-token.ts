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

/** @throws ConfigError when the file is missing, too short to be a secret or no bearer token */
export async function readOperatorToken(path: string): Promise<Secret> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) {
    throw new ConfigError(
      `PATCHBAY_OPERATOR_TOKEN_FILE: ${path} cannot be read; \`patchbay keys create\` makes one, and leaves a key file as it is`,
    );
  }
  const token = text.trim();
  // What a bearer header can carry; any other token would never let anyone in.
  if (!/^[A-Za-z0-9_.~+/=-]{32,300}$/.test(token)) {
    throw new ConfigError(
      `PATCHBAY_OPERATOR_TOKEN_FILE: ${path} holds no operator token; put 32 to 300 random letters and digits in it`,
    );
  }
  return new Secret(token);
}
