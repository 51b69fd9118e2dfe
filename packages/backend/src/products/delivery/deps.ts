import type { TenantUid } from "@patchbay/shared";
import type { Audit } from "../../domain/audit/index.ts";
import type { Vault } from "../../domain/vault/index.ts";
import { NIL_UUID, type RoleDatabase } from "../../platform/db/index.ts";
import type { Egress } from "../../platform/egress/index.ts";
import type { Wake } from "../../platform/lanes/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock, Random } from "../../platform/runtime/index.ts";

export interface DeliveryDeps {
  /** As `patchbay_app`: for what callers ask. */
  readonly app: RoleDatabase;
  /** As `patchbay_worker`: for sequencing and delivering. */
  readonly worker: RoleDatabase;
  readonly vault: Vault;
  readonly audit: Pick<Audit, "writer">;
  readonly egress: Pick<Egress, "request">;
  /** Exact origins that endpoints of test workspaces may have beside `https:`, such as `http://localhost:4401`. */
  readonly endpointOrigins: readonly string[];
  /** How long deliveries that arrived, and ended replays, are told of. */
  readonly retentionDays: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly wake: Pick<Wake, "poke" | "on" | "hearing">;
  readonly log: Logger;
}

/** Whose lane carries what concerns the workspace as a whole. */
export const NIL_TENANT = NIL_UUID as TenantUid;
