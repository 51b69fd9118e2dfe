import type { ConnectionId, WorkspaceId } from "@patchbay/shared";
import type { Connector } from "../../connectors/kit/index.ts";
import type { Audit } from "../../domain/audit/index.ts";
import type { Vault } from "../../domain/vault/index.ts";
import type { RoleDatabase } from "../../platform/db/index.ts";
import type { Wake } from "../../platform/lanes/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { ProviderClient } from "../provider-client/index.ts";

export interface IngestDeps {
  /** As `patchbay_app`: for what callers ask. */
  readonly app: RoleDatabase;
  /** As `patchbay_worker`: for routing, reading and syncing. */
  readonly worker: RoleDatabase;
  /** As `patchbay_ingest`: may append to the inbox and do nothing else. */
  readonly ingest: RoleDatabase;
  readonly vault: Vault;
  readonly audit: Pick<Audit, "writer">;
  readonly client: ProviderClient;
  readonly connectorById: (provider: string) => Connector | null;
  readonly clock: Clock;
  readonly wake: Pick<Wake, "poke" | "on" | "hearing">;
  readonly log: Logger;
  /** Origin under which providers reach `/in/…`, without a slash at its end. */
  readonly publicUrl: string;
  /** How long deliveries are kept. */
  readonly inboxRetentionDays: number;
  /** Makes the days of these instants storable; see `platform/db/partitions.ts`. */
  readonly openInboxDays: (instants: readonly Date[]) => Promise<void>;
  /** Between the incremental runs of a connection. */
  readonly runIntervalMs: number;
}

/** A connection by its ids. */
export interface ConnectionRef {
  readonly workspaceId: WorkspaceId;
  readonly connectionId: ConnectionId;
}
