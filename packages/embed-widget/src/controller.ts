import { ApiFailure, type ApiClient } from "./api-client.ts";
import {
  type Effect,
  type Event,
  failureOf,
  type Failure,
  initialState,
  type Preset,
  type Resumption,
  type State,
  step,
  toErrorCode,
  type Watched,
  watched,
} from "./machine/index.ts";
import { type Pace, type Poll, startPoll } from "./poll.ts";
import { acknowledge, openPopup, type Popup, readAuthorizationMessage } from "./popup.ts";
import { remember } from "./return-address.ts";
import type { ConnectEvent } from "./types.ts";
import { createVerifier } from "./verifier.ts";

const SLOW_AFTER_MS = 8_000;
/** A window that is being closed and one that moves to another site look the same for a moment. */
const SEEMS_CLOSED_AFTER_MS = 3_000;
const SECOND_MS = 1_000;

const MINUTE_MS = 60_000;
const AUTHORIZATION_PACE: Pace = { firstMs: 1_000, factor: 1.25, ceilingMs: 5_000, limitMs: 10 * MINUTE_MS };
const IMPORT_PACE: Pace = { firstMs: 1_000, factor: 1.25, ceilingMs: 5_000, limitMs: 60 * MINUTE_MS };
const CONNECTION_PACE: Pace = { firstMs: 15_000, factor: 1.25, ceilingMs: 60_000, limitMs: 60 * MINUTE_MS };

export interface ControllerDeps {
  readonly api: ApiClient;
  /** Origin of the backend: the only one whose messages count. */
  readonly apiOrigin: string;
  readonly window: Window;
  readonly preset: Preset;
  readonly resumption: Resumption | null;
  readonly emit: (event: ConnectEvent) => void;
  /** Called after every change. */
  readonly onChange: (state: State) => void;
  readonly wordFailure: (failure: Failure) => string;
  readonly windowTitle: () => string;
}

/** One running widget: its state, and the only way to change it. */
export interface Controller {
  state(): State;
  dispatch(event: Event): void;
  /** Closes as the person does: what is under way is given up. */
  abandon(): void;
  /** Stops listening and asking; what is under way stays open. */
  dispose(): void;
}

/** Runs the state machine: hands it events, does what it asks for, and asks the backend while something is open. */
export function createController(deps: ControllerDeps): Controller {
  const { window: host } = deps;
  let state = initialState(deps.preset, deps.resumption, host.navigator.onLine);
  let popup: Popup | null = null;
  let disposed = false;

  const dispatch = (event: Event): void => {
    if (disposed) return;
    const next = step(state, event);
    const changed = next.state !== state;
    state = next.state;
    if (changed) deps.onChange(state);
    for (const effect of next.effects) run(effect);
    watcher.follow(watched(state));
  };

  const run = (effect: Effect): void => {
    switch (effect.type) {
      case "openWindow":
        popup = openPopup(host, deps.windowTitle());
        return dispatch({ type: popup === null ? "windowBlocked" : "windowOpened" });
      case "navigateWindow":
        return popup?.navigate(effect.url);
      case "focusWindow":
        return popup?.focus();
      case "closeWindow":
        popup?.close();
        popup = null;
        return;
      case "leave":
        return host.location.assign(effect.url);
      case "remember":
        return remember(host, effect.authorizationId);
      case "emit":
        return deps.emit(effect.event);
      case "emitError":
        return deps.emit({ type: "error", detail: { error: toConnectError(deps, effect.failure) } });
      default:
        void ask(effect);
    }
  };

  /** Never rejects: what goes wrong becomes an event. */
  const ask = async (effect: Effect): Promise<void> => {
    try {
      await perform(deps, effect, dispatch);
    } catch (error) {
      const network = error instanceof ApiFailure && error.code === "network";
      if (network && !host.navigator.onLine) dispatch({ type: "offline" });
      dispatch({ type: "failed", effect, failure: readFailure(error), network });
    }
  };

  const watcher = createWatcher(host, ask, (authorizationId) => dispatch({ type: "timedOut", authorizationId }));
  const stopListening = listen(host, {
    message: (event) => {
      const message = readAuthorizationMessage(event, { origin: deps.apiOrigin, window: popup?.window ?? null });
      if (message === null || popup === null) return;
      acknowledge(popup.window, message.authorizationId, deps.apiOrigin);
      if (message.completionCode === undefined) return watcher.now();
      dispatch({
        type: "codeReceived",
        authorizationId: message.authorizationId,
        completionCode: message.completionCode,
      });
    },
    lookedAt: () => watcher.now(),
    online: () => {
      dispatch({ type: "online" });
      watcher.now();
    },
    offline: () => dispatch({ type: "offline" }),
  });
  const stopLooking = everySecond(host, () => popup, dispatch);

  return {
    state: () => state,
    dispatch,
    abandon() {
      const { screen } = state;
      if (screen.name === "waiting" || screen.name === "blocked") dispatch({ type: "cancel" });
    },
    dispose() {
      disposed = true;
      stopListening();
      stopLooking();
      watcher.follow(null);
    },
  };
}

/** Does what takes time, and reports how it ended. */
async function perform(deps: ControllerDeps, effect: Effect, dispatch: (event: Event) => void): Promise<void> {
  const { api } = deps;
  switch (effect.type) {
    case "loadSession": {
      const slow = deps.window.setTimeout(() => dispatch({ type: "slow" }), SLOW_AFTER_MS);
      try {
        return dispatch({ type: "sessionLoaded", session: await api.loadSession(effect.reason) });
      } finally {
        deps.window.clearTimeout(slow);
      }
    }
    case "resolve": {
      const parameters = await api.resolve(effect.provider, effect.parameters);
      return dispatch({ type: "resolved", serial: effect.serial, parameters });
    }
    case "startAuthorization": {
      const { flow } = effect;
      const { verifier, challenge } = await createVerifier(deps.window.crypto);
      const answer = await api.startAuthorization({
        provider: flow.provider ?? "",
        parameters: flow.parameters,
        verifierChallenge: challenge,
        display: flow.display,
        ...(flow.connectionId === null ? {} : { connectionId: flow.connectionId }),
      });
      const { id: authorizationId, startUrl } = answer;
      return dispatch({ type: "started", serial: flow.serial, authorizationId, startUrl, verifier });
    }
    case "complete": {
      const { authorizationId, verifier, completionCode } = effect;
      const proof = {
        ...(verifier === null ? {} : { verifier }),
        ...(completionCode === null ? {} : { completionCode }),
      };
      const authorization = await api.completeAuthorization(authorizationId, proof);
      return dispatch({ type: "authorizationSeen", authorization });
    }
    case "lookAtAuthorization":
      return dispatch({ type: "authorizationSeen", authorization: await api.authorization(effect.authorizationId) });
    case "cancelAuthorization":
      return api.cancelAuthorization(effect.authorizationId);
    case "lookAtConnection":
      return dispatch({ type: "connectionSeen", connection: await api.connection(effect.connectionId) });
    case "change":
      await api.changeConnection(effect.connectionId, effect.verb);
      return effect.verb === "disconnect"
        ? dispatch({ type: "disconnected", connectionId: effect.connectionId })
        : dispatch({ type: "connectionSeen", connection: await api.connection(effect.connectionId) });
    default:
      return;
  }
}

interface Watcher {
  follow(next: Watched | null): void;
  now(): void;
}

/** Keeps asking about the one thing that the screen shown now waits for. */
function createWatcher(
  host: Window,
  ask: (effect: Effect) => Promise<void>,
  onTimeout: (authorizationId: string) => void,
): Watcher {
  let followed = "";
  let poll: Poll | null = null;
  const deps = {
    clock: { now: () => host.performance.now() },
    timers: {
      set: (task: () => void, ms: number) => host.setTimeout(task, ms),
      clear: (id: number) => host.clearTimeout(id),
    },
    isHidden: () => host.document.visibilityState === "hidden",
  };
  return {
    follow(next) {
      const key = next === null ? "" : JSON.stringify(next);
      if (key === followed) return;
      followed = key;
      poll?.stop();
      poll = null;
      if (next === null) return;
      poll =
        next.kind === "authorization"
          ? startPoll(
              deps,
              AUTHORIZATION_PACE,
              () => ask({ type: "lookAtAuthorization", authorizationId: next.id }),
              () => onTimeout(next.id),
            )
          : startPoll(
              deps,
              next.importing ? IMPORT_PACE : CONNECTION_PACE,
              () => ask({ type: "lookAtConnection", connectionId: next.id }),
              () => undefined,
            );
    },
    now: () => poll?.now(),
  };
}

/** Tells after a while that the window seems closed: a hint for the person, never a reason to give up. Counts down, too. */
function everySecond(host: Window, popup: () => Popup | null, dispatch: (event: Event) => void): () => void {
  let closedMs = 0;
  const interval = host.setInterval(() => {
    dispatch({ type: "second" });
    const shown = popup();
    if (shown === null) return;
    closedMs = shown.seemsClosed() ? closedMs + SECOND_MS : 0;
    dispatch({ type: "windowSeemsClosed", closed: closedMs > SEEMS_CLOSED_AFTER_MS });
  }, SECOND_MS);
  return () => host.clearInterval(interval);
}

interface Listeners {
  readonly message: (event: MessageEvent) => void;
  readonly lookedAt: () => void;
  readonly online: () => void;
  readonly offline: () => void;
}

function listen(host: Window, on: Listeners): () => void {
  const stop = new AbortController();
  const { signal: until } = stop;
  const visible = (): void => {
    if (host.document.visibilityState === "visible") on.lookedAt();
  };
  host.addEventListener("message", on.message, { signal: until });
  host.addEventListener("focus", on.lookedAt, { signal: until });
  host.document.addEventListener("visibilitychange", visible, { signal: until });
  host.addEventListener("online", on.online, { signal: until });
  host.addEventListener("offline", on.offline, { signal: until });
  return () => stop.abort();
}

function readFailure(error: unknown): Failure {
  if (!(error instanceof ApiFailure)) return failureOf("unknown", null);
  const { code, requestId, retryAfterSeconds } = error;
  return { ...failureOf(code === "network" ? "offline" : toErrorCode(code), null), requestId, retryAfterSeconds };
}

function toConnectError(deps: ControllerDeps, failure: Failure) {
  return {
    code: failure.code,
    ...(failure.provider === null ? {} : { provider: failure.provider }),
    retriable: failure.retriable,
    ...(failure.requestId === null ? {} : { requestId: failure.requestId }),
    message: deps.wordFailure(failure),
  };
}
