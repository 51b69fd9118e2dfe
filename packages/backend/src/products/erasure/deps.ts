import type { Audit } from "../../domain/audit/index.ts";
import type { Vault } from "../../domain/vault/index.ts";
import type { RoleDatabase } from "../../platform/db/index.ts";
import type { Wake } from "../../platform/lanes/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Connect } from "../connect/index.ts";
import type { Ingest } from "../ingest/index.ts";

export interface ErasureDeps {
  /** As `patchbay_app`: for what callers ask. */
  readonly app: RoleDatabase;
  /** As `patchbay_worker`: for the work. */
  readonly worker: RoleDatabase;
  readonly vault: Pick<Vault, "destroyKeys">;
  readonly audit: Pick<Audit, "writer">;
  readonly connect: Pick<Connect, "returnGrant">;
  readonly ingest: Pick<Ingest, "onConnectionEnded" | "removeSubscriptions">;
  readonly inboxRetentionDays: number;
  /** How long the operator keeps database backups; `null`: not told. */
  readonly backupRetentionDays: number | null;
  readonly clock: Clock;
  readonly wake: Pick<Wake, "poke">;
  readonly log: Logger;
}
