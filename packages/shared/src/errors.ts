import { z } from "zod";

/**
 * Every error code a caller can meet, with its HTTP status and whether the same request may succeed later.
 * A code that is not here does not compile.
 */
export const ERROR_CODES = {
  invalid_request: { status: 400, retriable: false },
  invalid_cursor: { status: 400, retriable: false },
  unauthenticated: { status: 401, retriable: false },
  session_expired: { status: 401, retriable: false },
  invalid_signature: { status: 401, retriable: false },
  address_not_allowed: { status: 403, retriable: false },
  insufficient_scope: { status: 403, retriable: false },
  origin_not_allowed: { status: 403, retriable: false },
  session_forbidden: { status: 403, retriable: false },
  not_found: { status: 404, retriable: false },
  workspace_not_found: { status: 404, retriable: false },
  api_key_not_found: { status: 404, retriable: false },
  tenant_not_found: { status: 404, retriable: false },
  connection_not_found: { status: 404, retriable: false },
  authorization_not_found: { status: 404, retriable: false },
  provider_not_found: { status: 404, retriable: false },
  record_not_found: { status: 404, retriable: false },
  run_not_found: { status: 404, retriable: false },
  event_not_found: { status: 404, retriable: false },
  endpoint_not_found: { status: 404, retriable: false },
  delivery_not_found: { status: 404, retriable: false },
  inbox_item_not_found: { status: 404, retriable: false },
  erasure_not_found: { status: 404, retriable: false },
  delivery_replay_not_found: { status: 404, retriable: false },
  inbox_replay_not_found: { status: 404, retriable: false },
  shop_not_found: { status: 404, retriable: false },
  method_not_allowed: { status: 405, retriable: false },
  already_connected: { status: 409, retriable: false },
  account_mismatch: { status: 409, retriable: false },
  reauthorization_required: { status: 409, retriable: false },
  connection_paused: { status: 409, retriable: false },
  connection_not_active: { status: 409, retriable: false },
  provider_app_missing: { status: 409, retriable: false },
  request_in_flight: { status: 409, retriable: true },
  conflict: { status: 409, retriable: false },
  authorization_used: { status: 410, retriable: false },
  authorization_expired: { status: 410, retriable: false },
  payload_too_large: { status: 413, retriable: false },
  unsupported_media_type: { status: 415, retriable: false },
  invalid_shop: { status: 422, retriable: false },
  access_denied: { status: 422, retriable: false },
  missing_scopes: { status: 422, retriable: false },
  invalid_credentials: { status: 422, retriable: false },
  idempotency_key_reused: { status: 422, retriable: false },
  endpoint_url_refused: { status: 422, retriable: false },
  plan_limit: { status: 422, retriable: false },
  rate_limited: { status: 429, retriable: true },
  headers_too_large: { status: 431, retriable: false },
  internal: { status: 500, retriable: true },
  provider_error: { status: 502, retriable: false },
  provider_unavailable: { status: 502, retriable: true },
  overloaded: { status: 503, retriable: true },
  keys_unavailable: { status: 503, retriable: true },
  restore_unconfirmed: { status: 503, retriable: true },
  provider_timeout: { status: 504, retriable: true },
} as const satisfies Record<string, { readonly status: number; readonly retriable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One field that was not accepted. */
export interface FieldProblem {
  /** Where: JSON path of the field, `query.limit`, `header.idempotency-key` … */
  readonly path: string;
  readonly message: string;
}

/** The body of every error answer. @see RFC 9457 */
export interface Problem {
  /** URI of the page that explains the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** What happened and what to do, for a developer. Safe to show; never holds what a provider sent. */
  readonly detail: string;
  readonly requestId: string;
  /** Whether the same request may succeed later. */
  readonly retriable: boolean;
  /** For writes: whether anything may have happened at the provider. */
  readonly outcome?: "failed" | "uncertain" | undefined;
  /** Seconds to wait before trying again. */
  readonly retryAfterSeconds?: number | undefined;
  readonly errors?: readonly FieldProblem[] | undefined;
}

const codes = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];

export const Problem: z.ZodType<Problem> = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(codes),
    detail: z.string(),
    requestId: z.string(),
    retriable: z.boolean(),
    outcome: z.enum(["failed", "uncertain"]).optional(),
    retryAfterSeconds: z.number().optional(),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem" });

/** An expected outcome that the caller acts on. Bugs are plain `Error`s. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly retriable: boolean;
  readonly errors: readonly FieldProblem[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; errors?: readonly FieldProblem[]; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = ERROR_CODES[code].status;
    this.retriable = ERROR_CODES[code].retriable;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Closes a union: a case that a switch forgot does not compile, and fails loudly if it comes from outside. */
export function assertNever(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`);
}
