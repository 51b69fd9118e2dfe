import type { GrantId, WorkspaceId } from "@patchbay/shared";
import type { Connector } from "../../connectors/kit/index.ts";
import type { Audit } from "../../domain/audit/index.ts";
import type { Vault } from "../../domain/vault/index.ts";
import type { WithWorkspace } from "../../platform/db/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock, Random } from "../../platform/runtime/index.ts";
import type { At } from "./failpoints.ts";
import type { GrantNews } from "./grant-news.ts";
import type { OAuthClient } from "./oauth-client.ts";
import type { Credential } from "./place.ts";
import type { RefreshTimings } from "./refresh-timings.ts";

export interface CredentialsDeps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
  readonly audit: Pick<Audit, "writer">;
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly oauth: OAuthClient;
  /** Called when a provider has refused a grant for good; may be called more than once for one death. */
  readonly onGrantDead: (death: GrantDeath) => Promise<void>;
  /** Called when a grant whose death was told lives again, by a pair that came very late; may be called more than once. */
  readonly onGrantRevived: (grant: GrantTarget) => Promise<void>;
  readonly news: GrantNews;
  readonly timings: RefreshTimings;
  readonly at: At;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Waits; rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface GrantTarget {
  readonly workspaceId: WorkspaceId;
  readonly grantId: GrantId;
}

/** A death is named by its instant: a grant may live again and die another time. */
export interface GrantDeath extends GrantTarget {
  readonly deadSince: Date;
}

/**
 * `reauthorize`: the provider refuses the grant for good; only a person helps. `unavailable`: try later.
 */
export type Access =
  | (Credential & { readonly rowVersion: number })
  | { readonly problem: "reauthorize" | "unavailable" };
