import type { GrantId, WorkspaceId } from "@patchbay/shared";
import type { DirectAuth } from "../../connectors/kit/index.ts";
import type { AuditWriter } from "../../domain/audit/index.ts";
import type { Egress } from "../../platform/egress/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { accessToken, refreshAfter401, startCall, type CallStart } from "./access-token.ts";
import { condemnGrant } from "./condemn-grant.ts";
import type { Access, CredentialsDeps, GrantTarget } from "./deps.ts";
import { endGrant } from "./end-grant.ts";
import { encryptSnapshot, takeBack, takeSnapshot, type ExportFacts, type GrantSnapshot } from "./export-grant.ts";
import { createActivity } from "./activity.ts";
import { createFlights } from "./flights.ts";
import type { At } from "./failpoints.ts";
import { frontChannel } from "./front-channel.ts";
import { keepGrantsAlive } from "./keep-alive.ts";
import type { OAuthClient, Revocation, TokenProblem } from "./oauth-client.ts";
import { obtain, type Obtained, type Speaker } from "./obtain.ts";
import type { Recipient } from "./recipient-key.ts";
import {
  findGrant,
  storeGrant,
  storeHandedOver,
  type StoreGrant,
  type StoreHandedOver,
  type StoredGrant,
} from "./store-grant.ts";
import { REFRESH_TIMINGS, type RefreshTimings } from "./refresh-timings.ts";
import { nextFate, tellFates } from "./tell-fates.ts";
import { createRotations, type Rotations } from "./rotations.ts";
import { revokeTokens } from "./revoke-tokens.ts";
import { createTokenEndpoint } from "./token-endpoint.ts";

/** Owns grants: their tokens, how they are got, refreshed and destroyed. */
export interface Credentials {
  accessToken(target: GrantTarget): Promise<Access>;
  /** What a call of the provider must know, and the way to a token for it, in one look. */
  startCall(target: GrantTarget): Promise<CallStart>;
  refreshAfter401(target: GrantTarget, seenRowVersion: number): Promise<Access>;
  /** The API takes no token of the grant, fresh ones neither. */
  condemn(target: GrantTarget, seenRowVersion: number): Promise<void>;
  readonly oauth: OAuthClient;
  storeGrant(input: StoreGrant): Promise<StoredGrant>;
  findGrant(of: Parameters<typeof findGrant>[1]): Promise<GrantId | null>;
  /** What a person handed over, as a credential that is still to be proved. */
  obtain(at: Speaker, method: DirectAuth, input: Parameters<typeof obtain>[3]): Promise<Obtained>;
  storeHandedOver(input: StoreHandedOver): Promise<StoredGrant>;
  /** Keys that we replace ourselves. */
  readonly rotations: Rotations;
  /** At the provider's authorization server, where it has a way for it. */
  revokeTokens(target: GrantTarget): Promise<Revocation>;
  /** For an export: what is taken in one transaction is encrypted after it. */
  takeSnapshot(tx: Tx, target: GrantTarget, release: boolean): Promise<GrantSnapshot>;
  takeBack(tx: Tx, target: GrantTarget): Promise<void>;
  encryptSnapshot(snapshot: GrantSnapshot, recipient: Recipient, facts: ExportFacts): Promise<string>;
  endGrant(tx: Tx, log: AuditWriter, target: GrantTarget): Promise<boolean>;
  /** A sweep, hourly. */
  keepGrantsAlive(workspaceId: WorkspaceId): Promise<void>;
  /** A sweep, every minute. */
  tellFates(workspaceId: WorkspaceId): Promise<void>;
  /** When it has to sweep again. */
  nextFate(tx: Tx, workspaceId: WorkspaceId): Promise<Date | null>;
  /** Resolves when no refresh is under way in this process. */
  settled(): Promise<void>;
}

export interface CreateCredentials extends Omit<CredentialsDeps, "oauth" | "timings" | "at"> {
  /** Default: {@link REFRESH_TIMINGS}. Tests scale them. */
  readonly timings?: RefreshTimings;
  /** Nothing, except where a test kills the process. */
  readonly at?: At;
  /** Told what came of each refresh that a provider was asked for. */
  readonly onRefreshAnswered?: (provider: string, result: "ok" | TokenProblem["problem"]) => void;
  readonly egress: Pick<Egress, "request" | "fetchLike">;
  /** Exact origins that a `baseUrlOverride` of a test workspace may lead to. */
  readonly sandboxOrigins: readonly string[];
}

export function createCredentials(given: CreateCredentials): Credentials {
  const endpoint = createTokenEndpoint(given);
  const oauth: OAuthClient = {
    ...frontChannel,
    ...endpoint,
    async refresh(at, input) {
      const outcome = await endpoint.refresh(at, input);
      given.onRefreshAnswered?.(at.connector.id, outcome.ok ? "ok" : outcome.problem);
      return outcome;
    },
  };
  const deps: CredentialsDeps = { timings: REFRESH_TIMINGS, at: () => {}, ...given, oauth };
  const flights = createFlights();
  const activity = createActivity();
  return {
    accessToken: (target) => accessToken(deps, flights, activity, target),
    startCall: (target) => startCall(deps, flights, activity, target),
    refreshAfter401: (target, seen) => refreshAfter401(deps, flights, target, seen),
    condemn: (target, seen) => condemnGrant(deps, target, seen),
    oauth,
    storeGrant: (input) => storeGrant(deps, input),
    findGrant: (of) => findGrant(deps, of),
    obtain: (at, method, input) => obtain(deps, at, method, input),
    storeHandedOver: (input) => storeHandedOver(deps, input),
    rotations: createRotations(deps),
    revokeTokens: (target) => revokeTokens(deps, target),
    takeSnapshot,
    takeBack: (tx, target) => takeBack(deps, tx, target),
    encryptSnapshot: (snapshot, recipient, facts) => encryptSnapshot(deps, snapshot, recipient, facts),
    endGrant: (tx, log, target) => endGrant(deps, tx, log, target),
    keepGrantsAlive: (workspaceId) => keepGrantsAlive(deps, flights, workspaceId),
    tellFates: (workspaceId) => tellFates(deps, workspaceId),
    nextFate: (tx, workspaceId) => nextFate(deps, tx, workspaceId),
    settled: () => flights.settled(),
  };
}
