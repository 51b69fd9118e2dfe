import { accountOf, currentFlow, ended } from "./authorize.ts";
import type { Effect, Event, Failure, FlowTarget, ParameterProblem, State, Step } from "./state.ts";
import { go, stay } from "./step-result.ts";

type Failed = Extract<Event, { type: "failed" }>;

/** Seconds to wait before the next try, for each one in a row that failed. */
const BACKOFF_SECONDS = 10;
const BACKOFF_CEILING_SECONDS = 60;

/** What follows when something that was to be done did not work. */
export function stepFailed(state: State, event: Failed): Step {
  const { effect, failure } = event;
  if (isStale(state, effect)) return stay(state);
  if (event.network && !state.online) return stay({ ...state, deferred: effect });
  if (failure.code === "session_expired") return expired(state, failure);

  if (effect.type === "loadSession")
    return show(state, failure, { type: "start", reason: "init" }, { type: "closeWindow" });
  if (effect.type === "resolve") return notAccepted(state, failure, effect);
  if (effect.type === "startAuthorization") return notAccepted(state, failure, effect.flow);
  if (effect.type === "complete" || effect.type === "lookAtAuthorization") return notCompleted(state, event);
  return effect.type === "change" ? notChanged(state, failure) : stay(state);
}

/** Parameters that the backend refused are shown at their field, everything else as a screen. */
function notAccepted(
  state: State,
  failure: Failure,
  { provider, parameters }: Pick<FlowTarget, "provider" | "parameters">,
): Step {
  const { screen } = state;
  const problem = parameterProblem(failure);
  const name = Object.keys(parameters)[0];
  const flow = currentFlow(state);
  const close: Effect[] = flow === null ? [] : [{ type: "closeWindow" }];
  if (problem !== null && name !== undefined && provider !== null) {
    const values = screen.name === "parameters" ? screen.values : parameters;
    const problems = { [name]: problem };
    return go(state, { name: "parameters", provider, values, problems, busy: false }, ...close);
  }
  const named = { ...failure, provider };
  if (flow !== null) return paced(ended(state, flow, named));
  const again = screen.name === "parameters" ? { ...screen, busy: false } : screen;
  return show(state, named, { type: "show", screen: again });
}

function notCompleted(state: State, { effect, failure, network }: Failed): Step {
  const flow = currentFlow(state);
  if (flow === null) return stay(state);
  const connection = failure.code === "already_connected" ? accountOf(state, flow) : null;
  if (!network) return paced(ended(state, flow, { ...failure, provider: flow.provider, connection }));
  // Whether the backend got it is unknown: the next look tells.
  return effect.type === "complete"
    ? go(state, { name: "finishing", flow: { ...flow, completing: false } })
    : stay(state);
}

function notChanged(state: State, failure: Failure): Step {
  const { screen } = state;
  const shown = screen.name === "manage" || screen.name === "disconnect";
  return go(state, shown ? { name: "manage", connectionId: screen.connectionId, busy: null, failure } : screen, {
    type: "emitError",
    failure,
  });
}

/** Nothing is lost: an authorization under way is taken up again with the new session. */
function expired(state: State, failure: Failure): Step {
  const flow = currentFlow(state);
  const { authorizationId = null, verifier = null, completionCode = null } = flow ?? {};
  const resumption =
    authorizationId === null ? state.resumption : { authorizationId, verifier, completionCode, quiet: false };
  return show({ ...state, resumption }, failure, { type: "start", reason: "expired" });
}

function show(state: State, failure: Failure, retry: Event, ...effects: readonly Effect[]): Step {
  const shown: State = { ...state, earlyWindow: "none" };
  return paced(go(shown, { name: "failed", failure, retry }, ...effects, { type: "emitError", failure }));
}

/** The more tries failed, the longer the wait before the next. */
function paced({ state, effects }: Step): Step {
  const { screen, failures } = state;
  if (screen.name !== "failed") return { state, effects };
  const backoff = Math.min(failures * BACKOFF_SECONDS, BACKOFF_CEILING_SECONDS);
  const retryAfterSeconds = Math.max(screen.failure.retryAfterSeconds, backoff);
  const failure = { ...screen.failure, retryAfterSeconds };
  return go({ ...state, failures: failures + 1 }, { ...screen, failure }, ...effects);
}

/** The person went on meanwhile. */
function isStale(state: State, effect: Effect): boolean {
  const { screen, serial } = state;
  if (effect.type === "loadSession") return screen.name !== "loading";
  if (effect.type === "resolve") return screen.name !== "parameters" || effect.serial !== serial;
  if (effect.type === "startAuthorization") return currentFlow(state)?.serial !== effect.flow.serial;
  return "authorizationId" in effect && currentFlow(state)?.authorizationId !== effect.authorizationId;
}

function parameterProblem({ code }: Failure): ParameterProblem | null {
  if (code === "invalid_shop") return "format";
  return code === "shop_not_found" ? "notFound" : null;
}
