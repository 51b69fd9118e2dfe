import type { Connection } from "@patchbay/shared";
import type { ConnectErrorCode } from "../types.ts";
import type { Failure } from "./state.ts";

/** Codes that hosts and people meet under the backend's own name. */
const CODES = new Set<string>([
  "session_expired",
  "session_forbidden",
  "origin_not_allowed",
  "access_denied",
  "missing_scopes",
  "already_connected",
  "account_mismatch",
  "invalid_shop",
  "shop_not_found",
  "provider_unavailable",
  "rate_limited",
] satisfies ConnectErrorCode[]);

/** Codes of the backend that mean the same to people. */
const ALIASES: Readonly<Record<string, ConnectErrorCode>> = {
  unauthenticated: "session_expired",
  provider_timeout: "provider_unavailable",
  provider_error: "provider_unavailable",
  authorization_expired: "popup_timeout",
  authorization_used: "popup_timeout",
  authorization_not_found: "popup_timeout",
};

/** Trying the same once more leads nowhere. */
const FINAL = new Set<ConnectErrorCode>([
  "session_forbidden",
  "origin_not_allowed",
  "already_connected",
  "account_mismatch",
  "invalid_shop",
  "shop_not_found",
]);

export function toErrorCode(code: string | null): ConnectErrorCode {
  const known = code ?? "";
  return CODES.has(known) ? (known as ConnectErrorCode) : (ALIASES[known] ?? "unknown");
}

export function failureOf(
  code: ConnectErrorCode,
  provider: string | null,
  connection: Connection | null = null,
): Failure {
  return { code, provider, requestId: null, retriable: !FINAL.has(code), retryAfterSeconds: 0, connection };
}
