import { ConfigError } from "./config.ts";
import { KeyProviderError, VaultKeyError } from "./domain/vault/index.ts";
import { BackupError } from "./platform/db/backup/index.ts";
import { EmbeddedPostgresError } from "./platform/db/embedded/index.ts";
import { DatabaseSetupError } from "./platform/db/index.ts";
import { loggableError } from "./platform/observability/index.ts";
import { ListenError } from "./surface/cli/index.ts";

/** The product cannot start, for a reason that the operator can mend; the message is one sentence for them. */
export class PatchbayStartError extends Error {
  override readonly name = "PatchbayStartError";
}

/** sysexits.h EX_CONFIG: wrong keys must not be answered by a restart loop. */
const EXIT_WRONG_KEYS = 78;

/** sysexits.h EX_TEMPFAIL: the key service gave no answer; starting again may help. */
const EXIT_KEYS_UNREACHABLE = 75;

/** sysexits.h EX_SOFTWARE. */
const EXIT_BUG = 70;

/** What to tell the operator and how to exit. Of what nobody expected, only what holds no data is told. */
export function explainStartError(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof VaultKeyError) return { message: error.message, exitCode: EXIT_WRONG_KEYS };
  if (error instanceof KeyProviderError) {
    const exitCode = error.trouble === "unreachable" ? EXIT_KEYS_UNREACHABLE : EXIT_WRONG_KEYS;
    return { message: `The keys cannot be used: ${error.message}.`, exitCode };
  }
  if (error instanceof Error && EXPECTED.some((kind) => error instanceof kind)) {
    return { message: error.message, exitCode: 1 };
  }
  const facts = error instanceof Error ? JSON.stringify(loggableError(error), null, 2) : typeof error;
  return { message: `Patchbay stopped on an error of its own; please report it:\n${facts}`, exitCode: EXIT_BUG };
}

const EXPECTED = [ConfigError, PatchbayStartError, DatabaseSetupError, EmbeddedPostgresError, BackupError, ListenError];
