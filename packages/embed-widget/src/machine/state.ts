import type { Authorization, Connection, ConnectBootstrap } from "@patchbay/shared";
import type { ConnectErrorCode, ConnectEvent } from "../types.ts";

/** What the host asked for when it opened the widget. */
export interface Preset {
  readonly provider: string | null;
  readonly parameters: Parameters | null;
  readonly connectionId: string | null;
  readonly intent: "connect" | "reauthorize" | "manage";
  readonly display: Display;
}

export type Display = "popup" | "redirect";
export type Parameters = Readonly<Record<string, string>>;

/** An authorization that this page did not start itself. */
export interface Resumption {
  readonly authorizationId: string;
  readonly verifier: string | null;
  readonly completionCode: string | null;
  /** Found in the history entry after a reload: dropped without a word when it is over. */
  readonly quiet: boolean;
}

/** One authorization from the first click to its end. */
export interface Flow {
  /** Tells apart results of an earlier flow, which are dropped. */
  readonly serial: number;
  /** `null` until the backend tells, after a resumption. */
  readonly provider: string | null;
  readonly parameters: Parameters;
  /** The connection to repair. */
  readonly connectionId: string | null;
  readonly display: Display;
  readonly authorizationId: string | null;
  /** Proof that this page started it; never leaves memory except to complete. */
  readonly verifier: string | null;
  readonly completionCode: string | null;
  /** The proof is on its way to the backend. */
  readonly completing: boolean;
  readonly quiet: boolean;
}

export type ParameterProblem = "format" | "publicSite" | "notFound";

export type Screen =
  | { readonly name: "loading"; readonly slow: boolean }
  | { readonly name: "list" }
  | {
      readonly name: "parameters";
      readonly provider: string;
      readonly values: Parameters;
      readonly problems: Readonly<Record<string, ParameterProblem>>;
      readonly busy: boolean;
    }
  | {
      readonly name: "consent";
      readonly provider: string;
      readonly parameters: Parameters;
      readonly connectionId: string | null;
    }
  | {
      readonly name: "waiting";
      readonly flow: Flow;
      /** The provider is done; the person confirms in the window. */
      readonly confirm: boolean;
      /** Only a hint: a window cut off from its opener seems closed while it is open. */
      readonly seemsClosed: boolean;
    }
  | { readonly name: "blocked"; readonly flow: Flow }
  | { readonly name: "finishing"; readonly flow: Flow }
  | { readonly name: "success"; readonly connectionId: string }
  | { readonly name: "failed"; readonly failure: Failure; readonly retry: Event }
  | {
      readonly name: "manage";
      readonly connectionId: string;
      readonly busy: ConnectionVerb | null;
      readonly failure: Failure | null;
    }
  | { readonly name: "disconnect"; readonly connectionId: string; readonly busy: boolean };

export type ConnectionVerb = "pause" | "resume" | "sync" | "disconnect";

/** Why something did not work, as shown to people. */
export interface Failure {
  readonly code: ConnectErrorCode;
  readonly provider: string | null;
  readonly requestId: string | null;
  readonly retriable: boolean;
  /** Seconds before another try makes sense. */
  readonly retryAfterSeconds: number;
  /** The account meant, where it is known. */
  readonly connection: Connection | null;
}

export interface State {
  readonly preset: Preset;
  readonly resumption: Resumption | null;
  readonly session: ConnectBootstrap | null;
  /** Newest known first-hand; starts as the session's. */
  readonly connections: readonly Connection[];
  readonly screen: Screen;
  readonly online: boolean;
  /** Repeated when the browser is online again. */
  readonly deferred: Effect | null;
  /** A window opened in the click that opened the widget, before the session is known. */
  readonly earlyWindow: EarlyWindow;
  /** Whether a connection was made or repaired since the opening. */
  readonly completed: boolean;
  readonly serial: number;
  /** Failures in a row, for the wait before the next try. */
  readonly failures: number;
}

/** What happened: a person's wish or an answer from outside. */
export type Event =
  | { readonly type: "start"; readonly reason: "init" | "expired" }
  | { readonly type: "sessionLoaded"; readonly session: ConnectBootstrap }
  | { readonly type: "slow" }
  | { readonly type: "select"; readonly provider: string }
  | { readonly type: "submitParameters"; readonly values: Parameters }
  | { readonly type: "editParameters" }
  | { readonly type: "resolved"; readonly serial: number; readonly parameters: Parameters }
  | { readonly type: "authorize"; readonly target: FlowTarget; readonly display: Display }
  | { readonly type: "windowOpened" }
  | { readonly type: "windowBlocked" }
  | { readonly type: "windowSeemsClosed"; readonly closed: boolean }
  | {
      readonly type: "started";
      readonly serial: number;
      readonly authorizationId: string;
      readonly startUrl: string;
      readonly verifier: string;
    }
  | { readonly type: "codeReceived"; readonly authorizationId: string; readonly completionCode: string }
  | { readonly type: "authorizationSeen"; readonly authorization: Authorization }
  | { readonly type: "timedOut"; readonly authorizationId: string }
  | { readonly type: "openAgain" }
  | { readonly type: "continueHere" }
  | { readonly type: "showWindow" }
  | { readonly type: "cancel" }
  | { readonly type: "back" }
  | { readonly type: "show"; readonly screen: Screen }
  | { readonly type: "manage"; readonly connectionId: string }
  | { readonly type: "connectionSeen"; readonly connection: Connection }
  | { readonly type: "change"; readonly verb: ConnectionVerb }
  | { readonly type: "askDisconnect" }
  | { readonly type: "disconnected"; readonly connectionId: string }
  | { readonly type: "failed"; readonly effect: Effect; readonly failure: Failure; readonly network: boolean }
  /** A second went by. */
  | { readonly type: "second" }
  | { readonly type: "offline" }
  | { readonly type: "online" };

export interface FlowTarget {
  readonly provider: string | null;
  readonly parameters: Parameters;
  readonly connectionId: string | null;
}

/** What is to be done outside; its result comes back as an event. */
export type Effect =
  | { readonly type: "loadSession"; readonly reason: "init" | "expired" }
  | { readonly type: "resolve"; readonly serial: number; readonly provider: string; readonly parameters: Parameters }
  | { readonly type: "openWindow" }
  | { readonly type: "focusWindow" }
  | { readonly type: "closeWindow" }
  | { readonly type: "navigateWindow"; readonly url: string }
  | { readonly type: "leave"; readonly url: string }
  | { readonly type: "startAuthorization"; readonly flow: Flow }
  | {
      readonly type: "complete";
      readonly authorizationId: string;
      readonly verifier: string | null;
      readonly completionCode: string | null;
    }
  | { readonly type: "lookAtAuthorization"; readonly authorizationId: string }
  | { readonly type: "cancelAuthorization"; readonly authorizationId: string }
  | { readonly type: "remember"; readonly authorizationId: string | null }
  | { readonly type: "lookAtConnection"; readonly connectionId: string }
  | { readonly type: "change"; readonly connectionId: string; readonly verb: ConnectionVerb }
  | { readonly type: "emit"; readonly event: ConnectEvent }
  | { readonly type: "emitError"; readonly failure: Failure };

/** The state after an event, and what to do about it. */
export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export type EarlyWindow = "none" | "open" | "blocked";

export function initialState(
  preset: Preset,
  resumption: Resumption | null,
  online: boolean,
  earlyWindow: EarlyWindow = "none",
): State {
  return {
    preset,
    resumption,
    session: null,
    connections: [],
    screen: { name: "loading", slow: false },
    online,
    deferred: null,
    earlyWindow,
    completed: false,
    serial: 0,
    failures: 0,
  };
}

/** What has to be asked again and again on the screen shown now. */
export type Watched =
  | { readonly kind: "authorization"; readonly id: string }
  | { readonly kind: "connection"; readonly id: string; readonly importing: boolean };

export function watched(state: State): Watched | null {
  const { screen } = state;
  if (screen.name === "waiting" || screen.name === "finishing") {
    const id = screen.flow.authorizationId;
    return id === null || screen.flow.display === "redirect" ? null : { kind: "authorization", id };
  }
  if (screen.name === "success" || screen.name === "manage") {
    const connection = state.connections.find((candidate) => candidate.id === screen.connectionId);
    return { kind: "connection", id: screen.connectionId, importing: isImporting(connection) };
  }
  return null;
}

/** A run is under way or about to be. */
export function isImporting(connection: Connection | undefined): boolean {
  if (connection === undefined) return false;
  const { latestRun, status } = connection;
  if (latestRun === null) return status === "active" && connection.lastSyncedAt === null;
  return latestRun.status === "queued" || latestRun.status === "running";
}
