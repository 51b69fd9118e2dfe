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
import type { Effect, Event, ParameterProblem, State, Step } from "./state.ts";
import { go, stay } from "./step-result.ts";

type Of<T extends Event["type"]> = Extract<Event, { type: T }>;

/** The whole behaviour of the widget: what follows from an event. Pure. */
export function step(state: State, event: Event): Step {
  const { screen } = state;
  switch (event.type) {
    case "start":
      return start(state, event.reason);
    case "sessionLoaded":
      return sessionLoaded(state, event);
    case "slow":
      return screen.name === "loading" ? go(state, { ...screen, slow: true }) : stay(state);
    case "select":
      return select(state, event.provider);
    case "submitParameters":
      return submitParameters(state, event);
    case "editParameters":
      return screen.name === "parameters" ? go(state, { ...screen, problems: {} }) : stay(state);
    case "resolved":
      return resolved(state, event);
    case "authorize":
      return beginFlow(state, event.target, event.display);
    case "windowOpened":
      return windowOpened(state);
    case "windowBlocked":
      return windowBlocked(state);
    case "windowSeemsClosed":
      return screen.name === "waiting" ? go(state, { ...screen, seemsClosed: event.closed }) : stay(state);
    case "started":
      return started(state, event);
    case "codeReceived":
      return codeReceived(state, event);
    case "authorizationSeen":
      return authorizationSeen(state, event.authorization);
    case "timedOut":
      return timedOut(state, event);
    case "openAgain":
      return restartFlow(state, "popup");
    case "continueHere":
      return restartFlow(state, "redirect");
    case "showWindow":
      return stay(state, { type: "focusWindow" });
    case "cancel":
      return cancelFlow(state);
    case "back":
      return back(state);
    case "show":
      return go({ ...state, serial: state.serial + 1 }, event.screen);
    case "manage":
      return manage(state, event.connectionId);
    case "connectionSeen":
      return connectionSeen(state, event.connection);
    case "change":
      return changeConnection(state, event.verb);
    case "askDisconnect":
      return screen.name === "manage"
        ? go(state, { name: "disconnect", connectionId: screen.connectionId, busy: false })
        : stay(state);
    case "disconnected":
      return disconnected(state, event.connectionId);
    case "failed":
      return stepFailed(state, event);
    case "copied":
      return screen.name === "failed" ? go(state, { ...screen, copied: true }) : stay(state);
    case "second":
      return second(state);
    case "offline":
      return stay({ ...state, online: false });
    case "online":
      return stay({ ...state, online: true, deferred: null }, ...(state.deferred === null ? [] : [state.deferred]));
    default:
      return stay(state);
  }
}

function start(state: State, reason: "init" | "expired"): Step {
  const load: Effect = { type: "loadSession", reason };
  const next: State = { ...state, serial: state.serial + 1, session: null };
  const early: readonly Effect[] = state.preset.openWindowAtOnce && reason === "init" ? [{ type: "openWindow" }] : [];
  return go(next, { name: "loading", slow: false }, ...early, load);
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

function enter(before: State): Step {
  const { preset } = before;
  const screen = firstScreen(before);
  if (!preset.openWindowAtOnce) return go(before, screen);
  const state: State = { ...before, preset: { ...preset, openWindowAtOnce: false } };
  const target = { provider: preset.provider, parameters: preset.parameters ?? {}, connectionId: null };
  return screen.name === "list" || isMissingParameters(state, target)
    ? go({ ...state, earlyWindow: "none" }, screen, { type: "closeWindow" })
    : beginFlow(state, target, preset.display);
}

function select(state: State, provider: string): Step {
  const { preset } = state;
  const parameters = provider === preset.provider ? (preset.parameters ?? {}) : {};
  const target = { provider, parameters, connectionId: null };
  const screen = entryScreen(state, target);
  const selected: Effect = { type: "emit", event: { type: "provider-selected", detail: { provider } } };
  const next =
    screen.name === "consent" && !preset.showConsent ? beginFlow(state, target, preset.display) : go(state, screen);
  return stay({ ...next.state, serial: state.serial + 1 }, selected, ...next.effects);
}

function submitParameters(before: State, { values }: Of<"submitParameters">): Step {
  const { screen, preset } = before;
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
  if (!preset.showConsent) return beginFlow(before, { provider, parameters, connectionId: null }, preset.display);
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
