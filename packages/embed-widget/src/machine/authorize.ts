import type { Authorization, Connection, ConnectProvider } from "@patchbay/shared";
import { failureOf, toErrorCode } from "./failure.ts";
import type { Display, Effect, Event, Failure, Flow, FlowTarget, Screen, State, Step } from "./state.ts";
import { go, stay } from "./step-result.ts";

type Of<T extends Event["type"]> = Extract<Event, { type: T }>;

/** Starts an authorization. A window opens before anything else, so that it opens in the click. */
export function beginFlow(before: State, target: FlowTarget, display: Display): Step {
  const { earlyWindow } = before;
  const flow = newFlow(before.serial + 1, target, display);
  const state: State = { ...before, serial: flow.serial, earlyWindow: "none" };
  if (display === "popup" && earlyWindow === "blocked") return blocked(state, flow);
  const needsWindow = display === "popup" && earlyWindow === "none";
  return go(state, waiting(flow), needsWindow ? { type: "openWindow" } : { type: "startAuthorization", flow });
}

/** Takes up an authorization that was started before this page was loaded. */
export function resumeFlow(before: State): Step {
  const { resumption } = before;
  if (resumption === null) return stay(before);
  const { authorizationId } = resumption;
  const target = { provider: null, parameters: {}, connectionId: null };
  const flow: Flow = { ...newFlow(before.serial + 1, target, "popup"), ...resumption };
  const state: State = { ...before, serial: flow.serial, resumption: null };
  const resumed =
    flow.completionCode === null
      ? go(state, { name: "finishing", flow }, { type: "lookAtAuthorization", authorizationId })
      : complete(state, flow, authorizationId);
  return stay(resumed.state, { type: "remember", authorizationId }, ...resumed.effects);
}

export function windowOpened(state: State): Step {
  return state.screen.name === "waiting"
    ? stay(state, { type: "startAuthorization", flow: state.screen.flow })
    : stay(state, { type: "closeWindow" });
}

export function windowBlocked(state: State): Step {
  return state.screen.name === "waiting" ? blocked(state, state.screen.flow) : stay(state);
}

export function started(state: State, event: Of<"started">): Step {
  const { screen } = state;
  const { authorizationId, verifier, startUrl: url } = event;
  // The person left while the answer was on its way.
  if (screen.name !== "waiting" || screen.flow.serial !== event.serial) {
    return stay(state, { type: "cancelAuthorization", authorizationId });
  }
  const flow: Flow = { ...screen.flow, authorizationId, verifier };
  const { display } = flow;
  const detail = { authorizationId, provider: flow.provider ?? "", display };
  return go(
    state,
    { ...screen, flow },
    { type: "emit", event: { type: "authorization-started", detail } },
    ...(display === "redirect"
      ? [{ type: "leave", url } as const]
      : [{ type: "remember", authorizationId } as const, { type: "navigateWindow", url } as const]),
  );
}

export function codeReceived(state: State, { authorizationId, completionCode }: Of<"codeReceived">): Step {
  const flow = currentFlow(state);
  if (flow?.authorizationId !== authorizationId) return stay(state);
  return complete(state, { ...flow, completionCode }, authorizationId);
}

/** What the backend says decides, whatever window and messages seemed to say. */
export function authorizationSeen(state: State, authorization: Authorization): Step {
  const known = currentFlow(state);
  if (known?.authorizationId !== authorization.id) return stay(state);
  const flow: Flow = { ...known, provider: authorization.provider };
  const seemsClosed = state.screen.name === "waiting" && state.screen.seemsClosed;
  switch (authorization.status) {
    case "created":
    case "started":
      return go(state, { ...waiting(flow), seemsClosed });
    case "exchanged":
      if (flow.completionCode !== null) return complete(state, flow, authorization.id);
      return go(state, { ...waiting(flow), confirm: true });
    case "confirmed":
      return complete(state, { ...flow, quiet: false }, authorization.id);
    case "completed":
      return completed(state, flow, authorization.connection);
    case "failed":
      return ended(
        state,
        flow,
        failureOf(toErrorCode(authorization.error), flow.provider, accountOf(state, flow, authorization.accountName)),
      );
    case "expired":
      return ended(state, flow, failureOf("popup_timeout", flow.provider));
    case "canceled":
      return ended(state, flow, failureOf("access_denied", flow.provider));
    default:
      return stay(state);
  }
}

/** Gives the flow up and leads back to where it began. */
export function cancelFlow(state: State): Step {
  const flow = currentFlow(state);
  if (flow === null) return stay(state);
  return go({ ...state, serial: state.serial + 1 }, entryScreen(state, flow), ...dropFlow(flow));
}

/** The same authorization once more, in a new window or in this tab. */
export function restartFlow(state: State, display: Display): Step {
  const flow = currentFlow(state);
  if (flow === null || flow.provider === null) return stay(state);
  const begun = beginFlow(state, flow, display);
  return stay(begun.state, ...dropFlow(flow), ...begun.effects);
}

/** The flow is over without a connection. */
export function ended(state: State, flow: Flow, failure: Failure): Step {
  if (flow.quiet) return go(state, firstScreen(state), ...OVER);
  const connections =
    failure.connection === null ? state.connections : withConnection(state.connections, failure.connection);
  const screen: Screen = { name: "failed", failure, retry: retryOf(state, flow) };
  return go({ ...state, connections }, screen, ...OVER, { type: "emitError", failure });
}

export function currentFlow({ screen }: State): Flow | null {
  return screen.name === "waiting" || screen.name === "finishing" || screen.name === "blocked" ? screen.flow : null;
}

/** Where a person who knows nothing yet begins. */
export function firstScreen(state: State): Screen {
  const { provider, parameters, connectionId, intent } = state.preset;
  const connection = state.connections.find((known) => known.id === connectionId);
  if (connection !== undefined && intent !== "connect") {
    return intent === "manage"
      ? { name: "manage", connectionId: connection.id, busy: null, failure: null }
      : { name: "consent", provider: connection.provider, parameters: {}, connectionId: connection.id };
  }
  const offered = state.session?.providers.some((candidate) => candidate.id === provider) ?? false;
  return entryScreen(state, { provider: offered ? provider : null, parameters: parameters ?? {}, connectionId: null });
}

/** The first screen of a provider: its questions, then what will be read; the list where there is no provider. */
export function entryScreen(state: State, target: FlowTarget): Screen {
  const { provider, parameters, connectionId } = target;
  if (provider === null) return { name: "list" };
  return connectionId === null && isMissingParameters(state, target)
    ? { name: "parameters", provider, values: parameters, problems: {}, busy: false }
    : { name: "consent", provider, parameters, connectionId };
}

/** What a provider asks before authorizing. */
export function parametersOf(state: State, provider: string | null): ConnectProvider["parameters"] {
  return state.session?.providers.find((candidate) => candidate.id === provider)?.parameters ?? [];
}

export function isMissingParameters(state: State, target: FlowTarget): boolean {
  return parametersOf(state, target.provider).some(({ name }) => target.parameters[name] === undefined);
}

export function withConnection(connections: readonly Connection[], connection: Connection): readonly Connection[] {
  return connections.some((known) => known.id === connection.id)
    ? connections.map((known) => (known.id === connection.id ? connection : known))
    : [...connections, connection];
}

const OVER: readonly Effect[] = [{ type: "closeWindow" }, { type: "remember", authorizationId: null }];

function completed(state: State, flow: Flow, connection: Connection | null): Step {
  if (connection === null) return go(state, { name: "list" }, ...OVER);
  const repaired = flow.connectionId !== null || state.connections.some((known) => known.id === connection.id);
  const next: State = { ...state, failures: 0, connections: withConnection(state.connections, connection) };
  // It was over before this page was loaded, and told then.
  if (flow.quiet) return go(next, firstScreen(next), ...OVER);
  return go({ ...next, completed: true }, { name: "success", connectionId: connection.id }, ...OVER, {
    type: "emit",
    event: { type: repaired ? "reauthorized" : "connected", detail: { connection } },
  });
}

function newFlow(serial: number, target: FlowTarget, display: Display): Flow {
  const { provider, parameters, connectionId } = target;
  return {
    serial,
    provider,
    parameters,
    connectionId,
    display,
    authorizationId: null,
    verifier: null,
    completionCode: null,
    completing: false,
    quiet: false,
  };
}

/** Hands in the proof, unless it is on its way already. */
function complete(state: State, flow: Flow, authorizationId: string): Step {
  const { verifier, completionCode, completing } = flow;
  const proof: Effect = { type: "complete", authorizationId, verifier, completionCode };
  return go(state, { name: "finishing", flow: { ...flow, completing: true } }, ...(completing ? [] : [proof]));
}

function blocked(state: State, flow: Flow): Step {
  const detail = { provider: flow.provider ?? "" };
  return go(state, { name: "blocked", flow }, { type: "emit", event: { type: "popup-blocked", detail } });
}

function waiting(flow: Flow): Extract<Screen, { name: "waiting" }> {
  return { name: "waiting", flow, confirm: false, seemsClosed: false };
}

function dropFlow({ authorizationId }: Flow): readonly Effect[] {
  return authorizationId === null ? OVER : [...OVER, { type: "cancelAuthorization", authorizationId }];
}

/** The account that is connected already, so that it can be named and opened; `null` when it may be one of several. */
export function accountOf({ connections }: State, { provider }: Flow, name: string | null = null): Connection | null {
  const [only = null, another] = connections.filter(
    (known) => known.provider === provider && (name === null || known.accountName === name),
  );
  return another === undefined ? only : null;
}

/** Straight back to the provider, unless something has to be asked first. */
function retryOf(state: State, flow: Flow): Event {
  const { provider, parameters, connectionId, display } = flow;
  if (provider === null) return { type: "show", screen: { name: "list" } };
  if (connectionId === null && isMissingParameters(state, flow)) return { type: "select", provider };
  return { type: "authorize", target: { provider, parameters, connectionId }, display };
}
