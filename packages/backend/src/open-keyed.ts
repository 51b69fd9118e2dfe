import type { Config } from "./config.ts";
import { createAudit } from "./domain/audit/index.ts";
import { checkKeys, createVault, openKeys } from "./domain/vault/index.ts";
import type { Database } from "./platform/db/index.ts";
import { createLogger } from "./platform/observability/index.ts";
import { systemClock } from "./platform/runtime/index.ts";

/** What commands that need keys work with. */
export type Keyed = Awaited<ReturnType<typeof openKeyed>>;

/** The vault and the audit log. The keys are proved first: a wrong one must not make new ones. */
export async function openKeyed(database: Database, config: Config, print: (line: string) => void) {
  const keys = await openKeys(config.keys);
  const worker = database.as("patchbay_worker");
  await checkKeys({ database: worker, keys, clock: systemClock });
  const app = { withWorkspace: database.as("patchbay_app").withWorkspace, clock: systemClock };
  const vault = createVault({ ...app, keys });
  const log = createLogger(config.logLevel, process.stderr);
  return { ...app, worker, keys, vault, audit: createAudit({ ...app, vault }), log, print };
}
