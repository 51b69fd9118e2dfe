import type { Audit } from "../../domain/audit/index.ts";
import type { RoleDatabase } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";

export interface RestoreDeps {
  /** As `patchbay_worker`: the restores stand beside the queue. */
  readonly worker: RoleDatabase;
  readonly audit: Pick<Audit, "record" | "writer">;
  readonly clock: Clock;
}
