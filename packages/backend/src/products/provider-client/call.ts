import type { Connector, ProviderFault, ProviderRequest } from "../../connectors/kit/index.ts";
import type { Access, Credential, GrantFacts } from "../credentials/index.ts";
import { attempt, isOutage, type Attempt } from "./attempt.ts";
import { ATTEMPT_MS_MAX, buildRequest } from "./build-request.ts";
import type { CallDeps, CallOptions, CallTarget, Priority, ProviderOutcome } from "./client.ts";
import type { Verdict } from "./refusals.ts";
import { afterFailure, type Failure, retryDelayMs } from "./retry.ts";

const DEADLINE_MS: Readonly<Record<Priority, number>> = {
  interactive: 10_000,
  webhook: 60_000,
  incremental: 60_000,
  backfill: 60_000,
};

/** For the budget, over all attempts of a call. */
const BUDGET_WAIT_MS_MAX = 6_000;
/** Others give back what they did not need: worth another look. */
const BUDGET_PAUSE_MS_MAX = 2_000;

/** One call as its caller sees it: any number of attempts up to the bounds, one outcome, one log line. */
export async function call(
  deps: CallDeps,
  target: CallTarget,
  request: ProviderRequest,
  options: CallOptions,
): Promise<ProviderOutcome> {
  const startedAt = deps.clock.now();
  const { facts, access } = await deps.credentials.startCall(target);
  const connector = deps.connectors[facts.provider];
  if (connector === undefined) throw new Error(`no connector ${facts.provider}`);
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS[options.priority];
  const timeout = AbortSignal.timeout(deadlineMs);
  const state: CallState = {
    target,
    facts,
    connector,
    request,
    priority: options.priority,
    deadlineAt: startedAt.getTime() + deadlineMs,
    caller: options.signal,
    signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
    access,
    credential: null,
    attempts: 0,
    silences: 0,
    refreshed: false,
    observed: false,
    waitedMs: 0,
    last: null,
  };
  const outcome = await untilSettled(deps, state);
  deps.log.info(
    {
      workspaceId: target.workspaceId,
      grantId: target.grantId,
      provider: facts.provider,
      operation: operationOf(request),
      priority: options.priority,
      status: state.last?.status ?? null,
      fault: outcome.ok ? null : outcome.fault.kind,
      requestId: state.last?.requestId ?? null,
      attempts: state.attempts,
      latencyMs: outcome.read.endedAt.getTime() - outcome.read.startedAt.getTime(),
      elapsedMs: deps.clock.now().getTime() - startedAt.getTime(),
    },
    "provider called",
  );
  return outcome;
}

interface CallState {
  readonly target: CallTarget;
  readonly facts: GrantFacts;
  readonly connector: Connector;
  readonly request: ProviderRequest;
  readonly priority: Priority;
  readonly deadlineAt: number;
  /** The caller's own signal; `signal` ends at the deadline as well. */
  readonly caller: AbortSignal | undefined;
  readonly signal: AbortSignal;
  readonly access: () => Promise<Access>;
  credential: (Credential & { readonly rowVersion: number }) | null;
  attempts: number;
  silences: number;
  refreshed: boolean;
  /** The last answer told the budget's figures. */
  observed: boolean;
  /** For budget, over all attempts. */
  waitedMs: number;
  last: Attempt | null;
}

async function untilSettled(deps: CallDeps, state: CallState): Promise<ProviderOutcome> {
  for (;;) {
    const hindrance =
      (await ensureCredential(state)) ?? (await takeBudget(deps, state)) ?? refusedByBreaker(deps, state);
    if (hindrance !== null) return failed(deps, state, hindrance);
    const made = await attemptOnce(deps, state);
    if (!("failure" in made)) return { ok: true, response: made.response, read: made.read };
    const next = await prepareNext(deps, state, made.failure);
    if (next !== null) return failed(deps, state, next);
  }
}

/** @returns what keeps the call from being made */
async function ensureCredential(state: CallState): Promise<ProviderFault | null> {
  if (state.credential !== null) return null;
  return takeCredential(state, await inTime(state, state.access()));
}

/** A refresh may take longer than its caller has time, and goes on without it: its token is there for the next call. */
async function inTime(state: CallState, asked: Promise<Access>): Promise<Access> {
  const { promise: over, resolve } = Promise.withResolvers<Access>();
  const giveUp = () => resolve({ problem: "unavailable" });
  if (state.signal.aborted) giveUp();
  state.signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([asked, over]);
  } finally {
    state.signal.removeEventListener("abort", giveUp);
  }
}

function takeCredential(state: CallState, answer: Access): ProviderFault | null {
  if ("problem" in answer) return { kind: answer.problem };
  state.credential = answer;
  return null;
}

/** Waits until the budget allows the call, or tells when it will: who waits holds a worker's place. */
async function takeBudget(deps: CallDeps, state: CallState): Promise<ProviderFault | null> {
  const key = state.target.grantId;
  for (;;) {
    const ms = deps.budgets.take(key, state.connector, state.request.cost, state.priority, state.waitedMs);
    if (ms === 0) return null;
    const pause = Math.min(ms, BUDGET_PAUSE_MS_MAX);
    if (state.waitedMs >= BUDGET_WAIT_MS_MAX || !(await wait(deps, state, pause))) {
      return { kind: "rate_limited", retryAfterSeconds: ms / 1000 };
    }
    state.waitedMs += pause;
  }
}

function refusedByBreaker(deps: CallDeps, state: CallState): ProviderFault | null {
  return deps.breakers.refusal(breakerKey(state)) === null ? null : { kind: "unavailable" };
}

async function attemptOnce(deps: CallDeps, state: CallState): Promise<Attempt> {
  const { connector, facts, request, credential } = state;
  if (credential === null) throw new Error("a call without a credential");
  state.attempts++;
  const made = await attempt(deps, connector, {
    ...buildRequest(connector, facts, request, credential, deps.sandboxOrigins),
    deadlineMs: Math.max(1, Math.min(ATTEMPT_MS_MAX, state.deadlineAt - deps.clock.now().getTime())),
    signal: state.signal,
  });
  state.last = made;
  // A call that its caller gave up says nothing of the provider.
  if (state.caller?.aborted !== true) deps.breakers.record(breakerKey(state), isOutage(made));
  const observation = "response" in made ? connector.observe(made.response) : null;
  state.observed = observation !== null;
  if (observation !== null) {
    deps.budgets.observe(state.target.grantId, observation, state.request.cost);
  }
  return made;
}

/** Refreshes or waits, as the failure asks. @returns `null` to try again, else the fault that stands */
async function prepareNext(deps: CallDeps, state: CallState, failure: Failure): Promise<ProviderFault | null> {
  const { fault } = failure;
  if (failure.silent) state.silences++;
  // A refusal that tells no figures of the budget says at least that there is none.
  if (fault.kind === "rate_limited" && !state.observed) {
    deps.budgets.exhaust(state.target.grantId, fault.retryAfterSeconds);
  }
  switch (afterFailure(failure, state.request, state.attempts, state.silences)) {
    case "stop":
      return fault;
    case "refresh": {
      if (state.credential === null) return fault;
      const { rowVersion } = state.credential;
      const verdict = deps.refusals.about(state.target.grantId, rowVersion);
      if (verdict !== null) return FAULT_OF[verdict];
      if (state.refreshed) return judgeRefusal(deps, state);
      state.refreshed = true;
      return takeCredential(state, await inTime(state, deps.credentials.refreshAfter401(state.target, rowVersion)));
    }
    case "retry": {
      const retryAfter = fault.kind === "rate_limited" ? fault.retryAfterSeconds : null;
      const ms = retryDelayMs(state.attempts + 1, retryAfter, deps.random);
      return (await wait(deps, state, ms)) ? null : fault;
    }
  }
}

/** The credential is good and this request is refused all the same; or none is taken at all, which may be an outage. */
const FAULT_OF = {
  good: { kind: "refused" },
  refused: { kind: "unavailable" },
} as const satisfies Record<Verdict, ProviderFault>;

/**
 * A token fresh from the token endpoint was refused. The identity call tells whether it is the token or the request;
 * that no token is taken is believed when it is so a while later too, and then only a person helps.
 */
async function judgeRefusal(deps: CallDeps, state: CallState): Promise<ProviderFault> {
  const { connector, facts, credential, target } = state;
  if (credential === null) throw new Error("a refusal without a credential");
  const { rowVersion } = credential;
  const made = await attempt(deps, connector, {
    ...buildRequest(connector, facts, connector.identity.request(), credential, deps.sandboxOrigins),
    deadlineMs: Math.max(1, Math.min(ATTEMPT_MS_MAX, state.deadlineAt - deps.clock.now().getTime())),
    signal: state.signal,
  });
  if (!("failure" in made)) {
    deps.refusals.good(target.grantId, rowVersion);
    return FAULT_OF.good;
  }
  if (made.failure.fault.kind !== "reauthorize") return { kind: "unavailable" };
  if (!deps.refusals.refused(target.grantId, rowVersion)) return FAULT_OF.refused;
  await deps.credentials.condemn(target, rowVersion);
  return { kind: "reauthorize" };
}

/** @returns whether there was time for it */
async function wait(deps: CallDeps, state: CallState, ms: number): Promise<boolean> {
  if (state.signal.aborted || deps.clock.now().getTime() + ms >= state.deadlineAt) return false;
  try {
    await deps.sleep(ms, state.signal);
    return true;
  } catch (error) {
    if (state.signal.aborted) return false;
    throw error;
  }
}

function failed(deps: CallDeps, state: CallState, fault: ProviderFault): ProviderOutcome {
  const { last } = state;
  const now = deps.clock.now();
  const maybe = last !== null && "failure" in last && last.failure.reached === "maybe";
  return {
    ok: false,
    fault,
    requestId: last?.requestId ?? null,
    outcome: maybe && !state.request.idempotent ? "uncertain" : "failed",
    read: last?.read ?? { startedAt: now, endedAt: now },
  };
}

/** The same provider at another origin, such as a sandbox, breaks on its own. */
function breakerKey({ facts }: CallState): string {
  return `${facts.provider} ${facts.baseUrlOverride ?? ""}`;
}

/** GraphQL operations by their name, REST by method and path without what may be an id. */
function operationOf({ method, path, body }: ProviderRequest): string {
  if (typeof body === "object" && body !== null && "operationName" in body && typeof body.operationName === "string") {
    return body.operationName;
  }
  return `${method} ${path.replaceAll(/\/[^/]*\d[^/]*/g, "/:id")}`;
}
