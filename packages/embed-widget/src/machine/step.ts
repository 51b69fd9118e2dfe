import { checkParameter } from "../parameters.ts";
import {
  authorizationSeen,
  beginFlow,
  cancelFlow,
  codeReceived,
  currentFlow,
  ended,
  entryScreen,
  firstScreen,
  isMissingParameters,
  parametersOf,
  restartFlow,
  resumeFlow,
  started,
  windowBlocked,
  windowOpened,
} from "./authorize.ts";
import { connectionSeen, changeConnection, disconnected, manage } from "./connections.ts";
import { stepFailed } from "./failed.ts";
import { failureOf } from "./failure.ts";
import type { Effect, Event, ParameterProblem, Screen, State, Step } from "./state.ts";
import { go, stay } from "./step-result.ts";

type Of<T extends Event["type"]> = Extract<Event, { type: T }>;

/** What follows from each kind of event. */
const STEPS: { readonly [T in Event["type"]]: (state: State, event: Of<T>) => Step } = {
  start,
  sessionLoaded,
  slow: (state) => change(state, "loading", { slow: true }),
  select,
  submitParameters,
  editParameters: (state) => change(state, "parameters", { problems: {} }),
  resolved,
  authorize: (state, { target, display }) => beginFlow(state, target, display),
  windowOpened,
  windowBlocked,
  windowSeemsClosed: (state, { closed }) => change(state, "waiting", { seemsClosed: closed }),
  started,
  codeReceived,
  authorizationSeen: (state, { authorization }) => authorizationSeen(state, authorization),
  timedOut,
  openAgain: (state) => restartFlow(state, "popup"),
  continueHere: (state) => restartFlow(state, "redirect"),
  showWindow: (state) => stay(state, { type: "focusWindow" }),
  cancel: cancelFlow,
  back,
  show: (state, { screen }) => go({ ...state, serial: state.serial + 1 }, screen),
  manage: (state, { connectionId }) => manage(state, connectionId),
  connectionSeen: (state, { connection }) => connectionSeen(state, connection),
  change: (state, { verb }) => changeConnection(state, verb),
  askDisconnect,
  disconnected: (state, { connectionId }) => disconnected(state, connectionId),
  failed: stepFailed,
  second,
  offline: (state) => stay({ ...state, online: false }),
  online: (state) => stay({ ...state, online: true, deferred: null }, ...(state.deferred ? [state.deferred] : [])),
};

/** The whole behaviour of the widget: what follows from an event. Pure. */
export function step<T extends Event["type"]>(state: State, event: Of<T>): Step {
  return STEPS[event.type as T](state, event);
}

/** The same screen with other data; nothing when another is shown by now. */
function change<N extends Screen["name"]>(state: State, name: N, changes: Partial<Extract<Screen, { name: N }>>): Step {
  return state.screen.name === name ? go(state, { ...state.screen, ...changes }) : stay(state);
}

function start(state: State, { reason }: Of<"start">): Step {
  const load: Effect = { type: "loadSession", reason };
  const next: State = { ...state, serial: state.serial + 1, session: null };
  return go(next, { name: "loading", slow: false }, load);
}

function sessionLoaded(before: State, { session }: Of<"sessionLoaded">): Step {
  const state: State = { ...before, session, connections: session.connections, failures: 0 };
  const detail = { sessionId: session.sessionId };
  const first = state.resumption === null ? enter(state) : resumeFlow(state);
  return stay(
    first.state,
    { type: "emit", event: { type: "open", detail } },
    { type: "emit", event: { type: "ready", detail } },
    ...first.effects,
  );
}

function enter(state: State): Step {
  const { provider, parameters: given, display } = state.preset;
  const screen = firstScreen(state);
  const target = { provider, parameters: given ?? {}, connectionId: null };
  if (state.earlyWindow === "none") return go(state, screen);
  return screen.name === "list" || isMissingParameters(state, target)
    ? go({ ...state, earlyWindow: "none" }, screen, { type: "closeWindow" })
    : beginFlow(state, target, display);
}

function select(state: State, { provider }: Of<"select">): Step {
  const { preset } = state;
  const parameters = provider === preset.provider ? (preset.parameters ?? {}) : {};
  const target = { provider, parameters, connectionId: null };
  const screen = entryScreen(state, target);
  const selected: Effect = { type: "emit", event: { type: "provider-selected", detail: { provider } } };
  return go({ ...state, serial: state.serial + 1 }, screen, selected);
}

function submitParameters(before: State, { values }: Of<"submitParameters">): Step {
  const { screen } = before;
  if (screen.name !== "parameters" || screen.busy) return stay(before);
  const { provider } = screen;
  const problems: Record<string, ParameterProblem> = {};
  const parameters: Record<string, string> = {};
  for (const parameter of parametersOf(before, provider)) {
    const check = checkParameter(parameter, values[parameter.name] ?? "");
    if (check.ok) parameters[parameter.name] = check.value;
    else problems[parameter.name] = check.problem;
  }
  const shown = { ...screen, values, problems };
  if (Object.keys(problems).length > 0) return go(before, shown);
  const state: State = { ...before, serial: before.serial + 1 };
  return go(state, { ...shown, busy: true }, { type: "resolve", serial: state.serial, provider, parameters });
}

function resolved(state: State, { serial, parameters }: Of<"resolved">): Step {
  const { screen } = state;
  if (screen.name !== "parameters" || serial !== state.serial) return stay(state);
  return go({ ...state, failures: 0 }, { name: "consent", provider: screen.provider, parameters, connectionId: null });
}

function timedOut(state: State, { authorizationId }: Of<"timedOut">): Step {
  const flow = currentFlow(state);
  if (flow?.authorizationId !== authorizationId) return stay(state);
  return ended(state, flow, failureOf("popup_timeout", flow.provider));
}

function second(state: State): Step {
  const { screen } = state;
  if (screen.name !== "failed" || screen.failure.retryAfterSeconds <= 0) return stay(state);
  const { failure } = screen;
  return go(state, { ...screen, failure: { ...failure, retryAfterSeconds: failure.retryAfterSeconds - 1 } });
}

function askDisconnect(state: State): Step {
  const { screen } = state;
  return screen.name === "manage"
    ? go(state, { name: "disconnect", connectionId: screen.connectionId, busy: false })
    : stay(state);
}

function back(state: State): Step {
  const { screen, preset } = state;
  if (screen.name === "waiting" || screen.name === "blocked") return cancelFlow(state);
  if (screen.name === "disconnect") return manage(state, screen.connectionId);
  const next: State = { ...state, serial: state.serial + 1 };
  if (screen.name !== "consent") return go(next, { name: "list" });

  const { provider, parameters: values, connectionId } = screen;
  if (connectionId !== null) return manage(next, connectionId);
  const given = preset.provider === provider && preset.parameters !== null;
  const asked = parametersOf(state, provider).length > 0 && !given;
  return go(next, asked ? { name: "parameters", provider, values, problems: {}, busy: false } : { name: "list" });
}
