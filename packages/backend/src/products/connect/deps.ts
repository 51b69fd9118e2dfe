import type { ConnectionId, ConnectionRun, WorkspaceId } from "@patchbay/shared";
import type { Connector } from "../../connectors/kit/index.ts";
import type { Audit } from "../../domain/audit/index.ts";
import type { ConnectionRow } from "../../domain/connections/index.ts";
import type { Vault } from "../../domain/vault/index.ts";
import type { Tx, WithTenant, WithWorkspace } from "../../platform/db/index.ts";
import type { Egress } from "../../platform/egress/index.ts";
import type { Wake } from "../../platform/lanes/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Credentials } from "../credentials/index.ts";
import type { ProviderClient } from "../provider-client/index.ts";

export interface ConnectDeps {
  /**
   * Sees every tenant: for the host's own calls and sweeps, for finding whom a token or state belongs to, and for what
   * concerns a grant, which tenants may share. Everything else of a session goes through {@link withTenant}.
   */
  readonly withWorkspace: WithWorkspace;
  /** Sees one tenant: for what a session, or the window of an authorization that is known, does. */
  readonly withTenant: WithTenant;
  readonly vault: Vault;
  readonly audit: Pick<Audit, "record" | "person" | "writer">;
  readonly credentials: Pick<
    Credentials,
    | "oauth"
    | "storeGrant"
    | "findGrant"
    | "obtain"
    | "storeHandedOver"
    | "takeSnapshot"
    | "takeBack"
    | "encryptSnapshot"
    | "condemn"
    | "endGrant"
    | "revokeTokens"
    | "rotations"
  >;
  readonly client: Pick<ProviderClient, "call">;
  readonly egress: Pick<Egress, "request">;
  readonly connectors: Readonly<Record<string, Connector>>;
  /** How browsers reach us; no slash at the end. */
  readonly publicUrl: string;
  /** Exact origins that a `baseUrlOverride` of a test workspace may lead to. */
  readonly sandboxOrigins: readonly string[];
  /** A connection works, or works again: subscriptions and a first run follow, in a lane. */
  readonly onActivated: (tx: Tx, connection: ConnectionRow) => Promise<void>;
  /** A connection has ended: what was planned for it stops. */
  readonly onEnded: (tx: Tx, connection: ConnectionRow) => Promise<void>;
  /** Takes the webhook subscriptions of a connection back at the provider, as far as it can be reached. */
  readonly removeSubscriptions: (connection: {
    readonly workspaceId: WorkspaceId;
    readonly connectionId: ConnectionId;
  }) => Promise<void>;
  /** The newest run of each connection. */
  readonly latestRuns: (
    tx: Tx,
    workspaceId: WorkspaceId,
    connectionIds: readonly ConnectionId[],
  ) => Promise<ReadonlyMap<ConnectionId, ConnectionRun>>;
  readonly wake: Pick<Wake, "poke">;
  readonly clock: Clock;
  readonly log: Logger;
}
