import type { Connection } from "@patchbay/shared";
import type { ConnectErrorCode } from "../types.ts";
import type { Failure } from "./state.ts";

/** How each failure is worded: the beginning of its message keys. */
export const FAILURE_WORDS = {
  access_denied: "denied",
  missing_scopes: "denied",
  already_connected: "already",
  account_mismatch: "mismatch",
  popup_timeout: "timeout",
  session_expired: "expired",
  provider_unavailable: "provider",
  rate_limited: "rate",
  session_forbidden: "error",
  origin_not_allowed: "error",
  invalid_shop: "error",
  shop_not_found: "error",
  offline: "error",
  unknown: "error",
} as const satisfies Record<ConnectErrorCode, string>;

/** Trying the same once more leads nowhere. */
const FINAL: readonly ConnectErrorCode[] = [
  "already_connected",
  "session_forbidden",
  "origin_not_allowed",
  "invalid_shop",
  "shop_not_found",
];

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
  return known in FAILURE_WORDS ? (known as ConnectErrorCode) : (ALIASES[known] ?? "unknown");
}

export function failureOf(
  code: ConnectErrorCode,
  provider: string | null,
  connection: Connection | null = null,
): Failure {
  return { code, provider, requestId: null, retriable: !FINAL.includes(code), retryAfterSeconds: 0, connection };
}
