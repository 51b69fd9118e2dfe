import type { GrantId, WorkspaceId } from "@patchbay/shared";
import type { Connector, ProviderFault, ProviderRequest, ProviderResponse } from "../../connectors/kit/index.ts";
import type { Egress } from "../../platform/egress/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock, Random } from "../../platform/runtime/index.ts";
import type { Credentials } from "../credentials/index.ts";
import { createBreakers, type Breakers } from "./breaker.ts";
import { createBudgets, type Budgets } from "./budget.ts";
import { call } from "./call.ts";
import { createRefusals, type Refusals } from "./refusals.ts";

/** The one way to a provider's API with a customer's tokens. */
export interface ProviderClient {
  /** Sends, retries what may be retried, and tells what came of it. Never throws for what a provider does. */
  call(target: CallTarget, request: ProviderRequest, options: CallOptions): Promise<ProviderOutcome>;
}

export interface CallTarget {
  readonly workspaceId: WorkspaceId;
  readonly grantId: GrantId;
}

export interface CallOptions {
  readonly priority: Priority;
  /** For all attempts and waits together. Default: 10 s interactive, 60 s else. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** Who waits for the answer. A fifth of every budget is kept for the first two. */
export type Priority = "interactive" | "webhook" | "incremental" | "backfill";

export type ProviderOutcome =
  | { readonly ok: true; readonly response: ProviderResponse; readonly read: CallInterval }
  | {
      readonly ok: false;
      readonly fault: ProviderFault;
      /** The provider's own id of the request, for their support. */
      readonly requestId: string | null;
      /** `uncertain`: a request that must not be repeated may have been carried out. */
      readonly outcome: "failed" | "uncertain";
      readonly read: CallInterval;
    };

/** Around the last attempt, on our clock. */
export interface CallInterval {
  readonly startedAt: Date;
  readonly endedAt: Date;
}

export interface ProviderClientDeps {
  readonly credentials: Pick<Credentials, "startCall" | "refreshAfter401" | "condemn">;
  readonly egress: Pick<Egress, "request">;
  readonly connectors: Readonly<Record<string, Connector>>;
  /** Exact origins that a `baseUrlOverride` of a test workspace may lead to. */
  readonly sandboxOrigins: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly sleep: Sleep;
}
/** Waits; rejects when the signal aborts. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export interface CallDeps extends ProviderClientDeps {
  readonly budgets: Budgets;
  readonly breakers: Breakers;
  readonly refusals: Refusals;
}

/** Budgets and breakers live in it: one per process. */
export function createProviderClient(deps: ProviderClientDeps): ProviderClient {
  const callDeps = {
    ...deps,
    budgets: createBudgets(deps.clock),
    breakers: createBreakers(deps.clock, deps.random),
    refusals: createRefusals(deps.clock),
  };
  return { call: (target, request, options) => call(callDeps, target, request, options) };
}
