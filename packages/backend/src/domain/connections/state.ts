import { assertNever, type ConnectionStatus, type ConnectionEventType } from "@patchbay/shared";

export const CONNECTION_EVENTS = [
  "activate", // the browser proved itself; tokens work
  "reauthorized", // new tokens for the same account
  "credentialsDied", // the provider refuses the tokens for good
  "pause",
  "resume",
  "revoked", // the provider or its user ended it
  "disconnect", // the host or the end user ended it here
] as const;
export type ConnectionEvent = (typeof CONNECTION_EVENTS)[number];

export type Transition =
  /** `announce`: what the host is told, once per change; `null`: nothing. */
  | { readonly kind: "moved"; readonly to: ConnectionStatus; readonly announce: ConnectionEventType | null }
  /** The event changes nothing here: said twice, or overtaken. */
  | { readonly kind: "same" }
  /** The event makes no sense here. */
  | { readonly kind: "refused" };

/** The whole life of a connection; `README.md` draws it. Health is apart: `health.ts`. */
export function transition(status: ConnectionStatus, event: ConnectionEvent): Transition {
  switch (event) {
    case "activate":
      return status === "pending" ? moved("active", "connection.activated") : sameIf(isLive(status));
    case "reauthorized":
      return REPAIRABLE.has(status)
        ? moved("active", "connection.recovered")
        : sameIf(status === "active" || status === "paused");
    case "credentialsDied":
      return WORKING.has(status) ? moved("reauthorizationRequired", "connection.reauthorizationRequired") : SAME;
    case "pause":
      return status === "active" ? moved("paused", null) : sameIf(status === "paused");
    case "resume":
      return status === "paused" ? moved("active", null) : sameIf(status === "active");
    case "revoked":
      return isLive(status) ? moved("revoked", "connection.revoked") : SAME;
    case "disconnect":
      return status === "disconnected" ? SAME : moved("disconnected", "connection.disconnected");
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

function moved(to: ConnectionStatus, announce: ConnectionEventType | null): Transition {
  return { kind: "moved", to, announce };
}
