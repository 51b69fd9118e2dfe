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
import { acknowledge, openPopup, readAuthorizationMessage } from "./popup.ts";
import { remember } from "./return-address.ts";
import type { ConnectError, ConnectEvent } from "./types.ts";
import { createVerifier } from "./verifier.ts";

const SLOW_AFTER_MS = 8_000;
/** A window that is being closed and one that moves to another site look the same for a moment. */
const SEEMS_CLOSED_AFTER_MS = 3_000;
const SECOND_MS = 1_000;

const MINUTE_MS = 60_000;
const QUICK_PACE: Pace = { firstMs: 1_000, factor: 1.25, ceilingMs: 5_000, limitMs: 10 * MINUTE_MS };
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
  readonly windowTitle: string;
  /** Creating the controller is the click: a window has to open now. */
  readonly openWindowAtOnce: boolean;
}

/** One running widget: its state, and the only way to change it. */
export interface Controller {
  state(): State;
  readonly dispatch: (event: Event) => void;
  /** Closes as the person does: what is under way is given up. */
  abandon(): void;
  /** Stops listening and asking; what is under way stays open. */
  dispose(): void;
}

/** Runs the state machine: hands it events, does what it asks for, and asks the backend while something is open. */
export function createController(deps: ControllerDeps): Controller {
  const { window: host } = deps;
  let popup = deps.openWindowAtOnce ? openPopup(host, deps.windowTitle) : null;
  const early = deps.openWindowAtOnce ? (popup === null ? "blocked" : "open") : "none";
  let state = initialState(deps.preset, deps.resumption, host.navigator.onLine, early);
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
    if (effect.type === "openWindow") {
      popup = openPopup(host, deps.windowTitle);
      dispatch({ type: popup === null ? "windowBlocked" : "windowOpened" });
    } else if (effect.type === "navigateWindow") popup?.location.replace(effect.url);
    else if (effect.type === "focusWindow") popup?.focus();
    else if (effect.type === "closeWindow") {
      popup?.close();
      popup = null;
    } else if (effect.type === "leave") host.location.assign(effect.url);
    else if (effect.type === "remember") remember(host, effect.authorizationId);
    else if (effect.type === "emit") deps.emit(effect.event);
    else if (effect.type === "emitError")
      deps.emit({ type: "error", detail: { error: toConnectError(deps, effect.failure) } });
    else void ask(effect);
  };

  /** Never rejects: what goes wrong becomes an event. */
  const ask = async (effect: Errand): Promise<void> => {
    const slow = host.setTimeout(() => dispatch({ type: "slow" }), SLOW_AFTER_MS);
    try {
      const event = await doErrand(deps, effect);
      if (event !== null) dispatch(event);
    } catch (error) {
      const network = error instanceof ApiFailure && error.code === "network";
      if (network && !host.navigator.onLine) dispatch({ type: "offline" });
      dispatch({ type: "failed", effect, failure: readFailure(error), network });
    }
    host.clearTimeout(slow);
  };

  const watcher = createWatcher(host, ask, (authorizationId) => dispatch({ type: "timedOut", authorizationId }));
  const stopListening = listen(host, {
    message: (event) => {
      const message = readAuthorizationMessage(event, { origin: deps.apiOrigin, window: popup });
      if (message === null || popup === null) return;
      acknowledge(popup, message.authorizationId, deps.apiOrigin);
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

/** What takes time: asked of the backend. */
type Errand = Exclude<
  Effect,
  {
    type: "openWindow" | "navigateWindow" | "focusWindow" | "closeWindow" | "leave" | "remember" | "emit" | "emitError";
  }
>;

/** @returns how it ended */
async function doErrand({ api, window: host }: ControllerDeps, errand: Errand): Promise<Event | null> {
  switch (errand.type) {
    case "loadSession":
      return { type: "sessionLoaded", session: await api.loadSession(errand.reason) };
    case "resolve": {
      const { serial, provider } = errand;
      return { type: "resolved", serial, parameters: await api.resolve(provider, errand.parameters) };
    }
    case "startAuthorization": {
      const { provider, parameters, display, connectionId, serial } = errand.flow;
      const { verifier, challenge: verifierChallenge } = await createVerifier(host.crypto);
      const { id: authorizationId, startUrl } = await api.startAuthorization({
        provider: provider ?? "",
        parameters,
        verifierChallenge,
        display,
        connectionId: connectionId ?? undefined,
      });
      return { type: "started", serial, authorizationId, startUrl, verifier };
    }
    case "complete": {
      const { authorizationId, verifier, completionCode } = errand;
      // What is not there is left out of JSON.
      const proof = { verifier: verifier ?? undefined, completionCode: completionCode ?? undefined };
      return { type: "authorizationSeen", authorization: await api.completeAuthorization(authorizationId, proof) };
    }
    case "lookAtAuthorization":
      return { type: "authorizationSeen", authorization: await api.authorization(errand.authorizationId) };
    case "cancelAuthorization":
      await api.cancelAuthorization(errand.authorizationId);
      return null;
    case "lookAtConnection":
      return { type: "connectionSeen", connection: await api.connection(errand.connectionId) };
    case "change": {
      const { connectionId, verb } = errand;
      await api.changeConnection(connectionId, verb);
      if (verb === "disconnect") return { type: "disconnected", connectionId };
      return { type: "connectionSeen", connection: await api.connection(connectionId) };
    }
    default:
      return null;
  }
}

interface Watcher {
  follow(next: Watched | null): void;
  now(): void;
}

/** Keeps asking about the one thing that the screen shown now waits for. */
function createWatcher(
  host: Window,
  ask: (errand: Errand) => Promise<void>,
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
              QUICK_PACE,
              () => ask({ type: "lookAtAuthorization", authorizationId: next.id }),
              () => onTimeout(next.id),
            )
          : startPoll(
              deps,
              next.importing ? { ...QUICK_PACE, limitMs: CONNECTION_PACE.limitMs } : CONNECTION_PACE,
              () => ask({ type: "lookAtConnection", connectionId: next.id }),
              () => undefined,
            );
    },
    now: () => poll?.now(),
  };
}

/** Tells after a while that the window seems closed: a hint for the person, never a reason to give up. Counts down, too. */
function everySecond(host: Window, popup: () => Window | null, dispatch: (event: Event) => void): () => void {
  let closedMs = 0;
  const interval = host.setInterval(() => {
    dispatch({ type: "second" });
    const shown = popup();
    if (shown === null) return;
    closedMs = shown.closed ? closedMs + SECOND_MS : 0;
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

function toConnectError(deps: ControllerDeps, failure: Failure): ConnectError {
  return {
    code: failure.code,
    provider: failure.provider ?? undefined,
    retriable: failure.retriable,
    requestId: failure.requestId ?? undefined,
    message: deps.wordFailure(failure),
  };
}
