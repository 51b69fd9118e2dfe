import { ConfigError } from "./config.ts";
import { VaultKeyError } from "./domain/vault/index.ts";
import { EmbeddedPostgresError } from "./platform/db/embedded/index.ts";
import { ListenError } from "./surface/cli/index.ts";

/** The product cannot start, for a reason that the operator can mend; the message is one sentence for them. */
export class PatchbayStartError extends Error {
  override readonly name = "PatchbayStartError";
}

/** sysexits.h EX_CONFIG: wrong keys must not be answered by a restart loop. */
const EXIT_WRONG_KEYS = 78;

/** What to tell the operator and how to exit; `null` for anything unexpected, which is a bug of ours. */
export function explainStartError(error: unknown): { readonly message: string; readonly exitCode: number } | null {
  if (error instanceof VaultKeyError) return { message: error.message, exitCode: EXIT_WRONG_KEYS };
  const isExpected = EXPECTED.some((kind) => error instanceof kind);
  return isExpected && error instanceof Error ? { message: error.message, exitCode: 1 } : null;
}

const EXPECTED = [ConfigError, PatchbayStartError, EmbeddedPostgresError, ListenError];
