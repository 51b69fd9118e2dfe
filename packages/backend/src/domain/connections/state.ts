import { assertNever, type ConnectionStatus, type OperationalEventType } from "@patchbay/shared";

/** What a transition looks at and changes. */
export interface ConnectionState {
  readonly status: ConnectionStatus;
  readonly health: "ok" | "degraded";
}

export const CONNECTION_EVENTS = [
  "activate", // the browser proved itself; tokens work
  "reauthorized", // new tokens for the same account
  "credentialsDied", // the provider refuses the tokens for good
  "pause",
  "resume",
  "revoked", // the provider or its user ended it
  "disconnect", // the host or the end user ended it here
  "degraded", // syncs fail though the tokens work
  "healed",
] as const;
export type ConnectionEvent = (typeof CONNECTION_EVENTS)[number];

export type Transition =
  /** `announce`: what the host is told, once per change; `null`: nothing. */
  | { readonly kind: "moved"; readonly to: ConnectionState; readonly announce: OperationalEventType | null }
  /** The event changes nothing here: said twice, or overtaken. */
  | { readonly kind: "same" }
  /** The event makes no sense here. */
  | { readonly kind: "refused" };

/** The whole life of a connection; `README.md` draws it. */
export function transition(state: ConnectionState, event: ConnectionEvent): Transition {
  switch (event) {
    case "activate":
      return state.status === "pending" ? moved("active", "connection.activated") : sameIf(isLive(state.status));
    case "reauthorized":
      return REPAIRABLE.has(state.status)
        ? moved("active", "connection.recovered")
        : sameIf(state.status === "active" || state.status === "paused");
    case "credentialsDied":
      return WORKING.has(state.status) ? moved("reauthorizationRequired", "connection.reauthorizationRequired") : SAME;
    case "pause":
      return state.status === "active" ? moved("paused", null) : sameIf(state.status === "paused");
    case "resume":
      return state.status === "paused" ? moved("active", null) : sameIf(state.status === "active");
    case "revoked":
      return isLive(state.status) ? moved("revoked", "connection.revoked") : SAME;
    case "disconnect":
      return state.status === "disconnected" ? SAME : moved("disconnected", "connection.disconnected");
    case "degraded":
      return state.status === "active" && state.health === "ok" ? healthTo(state, "degraded") : SAME;
    case "healed":
      return state.status === "active" && state.health === "degraded" ? healthTo(state, "ok") : SAME;
    default:
      return assertNever(event);
  }
}

/** Whether the connection needs its grant: then nobody may give the grant back. */
export function isLive(status: ConnectionStatus): boolean {
  return LIVE.has(status);
}

/** Statuses that {@link isLive} accepts. */
export const LIVE_STATUSES = ["active", "paused", "reauthorizationRequired"] as const satisfies ConnectionStatus[];

const LIVE: ReadonlySet<ConnectionStatus> = new Set(LIVE_STATUSES);
const WORKING: ReadonlySet<ConnectionStatus> = new Set(["active", "paused"]);
const REPAIRABLE: ReadonlySet<ConnectionStatus> = new Set(["reauthorizationRequired", "revoked"]);
const SAME: Transition = { kind: "same" };

function sameIf(overtaken: boolean): Transition {
  return overtaken ? SAME : { kind: "refused" };
}

/** A change of status starts with good health: what was wrong belonged to the state before. */
function moved(status: ConnectionStatus, announce: OperationalEventType | null): Transition {
  return { kind: "moved", to: { status, health: "ok" }, announce };
}

function healthTo(state: ConnectionState, health: ConnectionState["health"]): Transition {
  const announce = health === "ok" ? "connection.recovered" : "connection.degraded";
  return { kind: "moved", to: { status: state.status, health }, announce };
}
