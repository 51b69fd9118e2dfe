import type { GrantId, WorkspaceId } from "@patchbay/shared";
import type { Connector } from "../../connectors/kit/index.ts";
import type { Vault } from "../../domain/vault/index.ts";
import type { WithWorkspace } from "../../platform/db/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock, Random } from "../../platform/runtime/index.ts";
import type { OAuthClient } from "./oauth-client.ts";
import type { Credential } from "./place.ts";

export interface CredentialsDeps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly oauth: OAuthClient;
  /** Called when a provider refuses a grant for good; may be called again for the same grant. */
  readonly onGrantDead: (grant: GrantTarget) => Promise<void>;
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

/**
 * `reauthorize`: the provider refuses the grant for good; only a person helps. `unavailable`: try later.
 */
export type Access =
  | (Credential & { readonly rowVersion: number })
  | { readonly problem: "reauthorize" | "unavailable" };
