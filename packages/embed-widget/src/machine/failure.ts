import type { Connection } from "@patchbay/shared";
import type { ConnectErrorCode } from "../types.ts";
import type { Failure } from "./state.ts";

/** How each failure is worded (the beginning of its message keys), and whether trying again may help. */
export const FAILURES = {
  access_denied: { words: "denied", retriable: true },
  missing_scopes: { words: "denied", retriable: true },
  already_connected: { words: "already", retriable: false },
  account_mismatch: { words: "mismatch", retriable: true },
  popup_timeout: { words: "timeout", retriable: true },
  session_expired: { words: "expired", retriable: true },
  provider_unavailable: { words: "provider", retriable: true },
  rate_limited: { words: "rate", retriable: true },
  session_forbidden: { words: "error", retriable: false },
  origin_not_allowed: { words: "error", retriable: false },
  invalid_shop: { words: "error", retriable: false },
  shop_not_found: { words: "error", retriable: false },
  offline: { words: "error", retriable: true },
  unknown: { words: "error", retriable: true },
} as const satisfies Record<ConnectErrorCode, { readonly words: string; readonly retriable: boolean }>;

/** Codes of the backend that mean the same to people. */
const ALIASES: Readonly<Record<string, ConnectErrorCode>> = {
  unauthenticated: "session_expired",
  provider_timeout: "provider_unavailable",
  provider_error: "provider_unavailable",
  authorization_expired: "popup_timeout",
  authorization_used: "popup_timeout",
  authorization_not_found: "popup_timeout",
};

export function toErrorCode(code: string | null): ConnectErrorCode {
  const known = code ?? "";
  return known in FAILURES ? (known as ConnectErrorCode) : (ALIASES[known] ?? "unknown");
}

export function failureOf(
  code: ConnectErrorCode,
  provider: string | null,
  connection: Connection | null = null,
): Failure {
  return {
    code,
    provider,
    requestId: null,
    retriable: FAILURES[code].retriable,
    retryAfterSeconds: 0,
    connection,
  };
}
