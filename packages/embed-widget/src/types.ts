import type { Connection } from "@patchbay/shared";
import type { Appearance } from "./appearance.ts";
import type { Messages } from "./i18n/en.ts";

export type { Connection } from "@patchbay/shared";

/** Why a token is asked for: the first one, the last one expired, or the last one may not do what was tried. */
export type TokenReason = "init" | "expired" | "forbidden";

/** A provider by its id. */
export type ProviderId = "stripe" | "hubspot" | "shopify" | (string & {});

/** Everything a host can say about one opening of the widget. */
export interface ConnectOptions {
  /**
   * Answers a connect session token that your backend made for the person who is signed in.
   * Called again when the token expires, never twice at the same time.
   */
  readonly fetchSessionToken: (context: { readonly reason: TokenReason }) => Promise<string>;
  /** `modal` (default) covers the page, `inline` lives in `container`. */
  readonly mode?: "modal" | "inline" | undefined;
  /** Where an inline widget goes. */
  readonly container?: Element | undefined;
  /** Skips the list. */
  readonly provider?: ProviderId | undefined;
  /** What the provider asks before authorizing, such as `{ shop: "acme" }`, when you know it already. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** With `intent: "manage"` or `"reauthorize"`: the connection (`conn_…`) to show. */
  readonly connectionId?: string | undefined;
  readonly intent?: "connect" | "reauthorize" | "manage" | undefined;
  /** `auto` (default): a popup, except in in-app browsers, which have none. */
  readonly authorizationDisplay?: "auto" | "popup" | "redirect" | undefined;
  /** BCP 47 tag for numbers and dates; default: the session's, then the page's language. */
  readonly locale?: string | undefined;
  /** Overrides of single sentences. */
  readonly messages?: Partial<Messages> | undefined;
  readonly theme?: "auto" | "light" | "dark" | undefined;
  readonly appearance?: Appearance | undefined;
  /** Origin of the backend; default: where this script came from. */
  readonly apiBase?: string | undefined;
  /** Element name; default `patchbay-connect`. */
  readonly tag?: string | undefined;
  /** Aborting closes the widget. */
  readonly signal?: AbortSignal | undefined;
}

/** Codes of errors that a host can meet. New ones may be added; treat those that you do not know as `unknown`. */
export type ConnectErrorCode =
  | "session_expired"
  | "session_forbidden"
  | "origin_not_allowed"
  | "popup_timeout"
  | "access_denied"
  | "missing_scopes"
  | "already_connected"
  | "account_mismatch"
  | "invalid_shop"
  | "shop_not_found"
  | "provider_unavailable"
  | "rate_limited"
  | "offline"
  | "unknown";

/** What went wrong, in words that can be shown. */
export interface ConnectError {
  readonly code: ConnectErrorCode;
  readonly provider?: ProviderId | undefined;
  /** Whether the same step may succeed later. */
  readonly retriable: boolean;
  /** Names the failed request in the backend's log. */
  readonly requestId?: string | undefined;
  /** Localized. */
  readonly message: string;
}

/** Events and their details. Stable: names and fields never change within a major version. */
export interface ConnectEventMap {
  open: { readonly sessionId: string };
  ready: { readonly sessionId: string };
  close: { readonly sessionId: string; readonly completed: boolean };
  "provider-selected": { readonly provider: ProviderId };
  "popup-blocked": { readonly provider: ProviderId };
  "authorization-started": {
    readonly authorizationId: string;
    readonly provider: ProviderId;
    readonly display: "popup" | "redirect";
  };
  connected: { readonly connection: Connection };
  reauthorized: { readonly connection: Connection };
  disconnected: { readonly connectionId: string; readonly provider: ProviderId };
  "sync-progress": { readonly connectionId: string; readonly done: number; readonly total?: number };
  /** A colour of the host had too little contrast and was moved. */
  "appearance-corrected": { readonly variable: "accent" | "onAccent"; readonly from: string; readonly to: string };
  error: { readonly error: ConnectError };
}

/** One event as data. */
export type ConnectEvent = {
  readonly [K in keyof ConnectEventMap]: { readonly type: K; readonly detail: ConnectEventMap[K] };
}[keyof ConnectEventMap];

/** The open widget, for the code that opened it. */
export interface ConnectHandle {
  readonly state: "loading" | "open" | "busy" | "closed";
  /** Changes the look or the language without losing what the person did. */
  update(options: Pick<ConnectOptions, "locale" | "messages" | "theme" | "appearance">): void;
  /** @returns a function that stops listening */
  on<K extends keyof ConnectEventMap>(type: K, listener: (detail: ConnectEventMap[K]) => void): () => void;
  /** Closes as if the person did. */
  close(): void;
  /** Removes the element; an authorization under way stays open and can be resumed. */
  destroy(): void;
  /** The connection made or repaired; rejects with {@link ConnectClosedError} when closed without one. */
  readonly result: Promise<Connection>;
}

/** The widget was closed before anything was connected. */
export class ConnectClosedError extends Error {
  override readonly name = "ConnectClosedError";
}
