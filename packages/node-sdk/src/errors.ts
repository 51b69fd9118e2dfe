/**
 * What can go wrong, as classes: `instanceof` decides, `code` tells exactly.
 *
 * @module
 */
import type { ErrorCode, FieldProblem, Problem } from "@patchbay/shared";

/** Base of every error that this package throws. */
export class PatchbayError extends Error {
  override readonly name: string = "PatchbayError";
}

/** Patchbay answered with an error status. */
export class ApiError extends PatchbayError {
  override readonly name: string = "ApiError";
  /** HTTP status. */
  readonly status: number;
  /** Stable; new codes may appear. `unexpected_answer`: something between you and Patchbay answered. */
  readonly code: ErrorCode | "unexpected_answer" | (string & {});
  /** Quote it when you ask for help. */
  readonly requestId: string | null;
  /** Whether the same request may succeed later. */
  readonly retriable: boolean;
  /** The fields that were not accepted; empty when the error is not about fields. */
  readonly errors: readonly FieldProblem[];
  /** Seconds to wait before trying again, when Patchbay named them. */
  readonly retryAfterSeconds: number | null;
  /** For writes: whether anything may have happened at the provider. */
  readonly outcome: "failed" | "uncertain" | null;

  constructor(facts: ApiErrorFacts) {
    super(facts.message);
    this.status = facts.status;
    this.code = facts.code;
    this.requestId = facts.requestId;
    this.retriable = facts.retriable;
    this.errors = facts.errors;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.outcome = facts.outcome;
  }
}

/** 400: the request is malformed; `errors` names the fields. */
export class BadRequestError extends ApiError {
  override readonly name = "BadRequestError";
}

/** 401: the API key is missing, wrong, expired or revoked. */
export class AuthenticationError extends ApiError {
  override readonly name = "AuthenticationError";
}

/** 403: the API key lacks a scope, or the action is not allowed. */
export class PermissionDeniedError extends ApiError {
  override readonly name = "PermissionDeniedError";
}

/** 404: no such thing in this workspace. */
export class NotFoundError extends ApiError {
  override readonly name = "NotFoundError";
}

/** 409: the thing is in a state that does not allow this; `code` says which. */
export class ConflictError extends ApiError {
  override readonly name = "ConflictError";
}

/** 422: well-formed, but not acceptable. */
export class UnprocessableError extends ApiError {
  override readonly name = "UnprocessableError";
}

/** 429, after the retries; `retryAfterSeconds` says how long to wait. */
export class RateLimitError extends ApiError {
  override readonly name = "RateLimitError";
}

/** 500 and above, after the retries. */
export class ServerError extends ApiError {
  override readonly name = "ServerError";
}

/** No answer: refused, reset, name not found, TLS. `cause` holds the reason. */
export class ApiConnectionError extends PatchbayError {
  override readonly name: string = "ApiConnectionError";
  readonly retriable: boolean = true;
}

/** No answer within `timeoutMs`, in each of the tries. */
export class ApiTimeoutError extends ApiConnectionError {
  override readonly name = "ApiTimeoutError";
}

/** The `signal` that was passed in aborted the request. */
export class ApiAbortError extends PatchbayError {
  override readonly name = "ApiAbortError";
}

/** Why a webhook was refused. */
export type WebhookRefusal =
  | "missing_secret"
  | "invalid_secret"
  | "body_not_raw"
  | "missing_header"
  | "invalid_timestamp"
  | "timestamp_too_old"
  | "timestamp_too_new"
  | "no_matching_signature"
  | "invalid_payload";

/** A webhook that must not be trusted: answer 400 and drop it. The message never holds a secret or a signature. */
export class WebhookVerificationError extends PatchbayError {
  override readonly name = "WebhookVerificationError";
  readonly reason: WebhookRefusal;

  constructor(reason: WebhookRefusal, message: string) {
    super(message);
    this.reason = reason;
  }
}

interface ApiErrorFacts {
  readonly message: string;
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly retriable: boolean;
  readonly errors: readonly FieldProblem[];
  readonly retryAfterSeconds: number | null;
  readonly outcome: "failed" | "uncertain" | null;
}

/** What an error answer says, apart from its body. */
export interface ErrorAnswer {
  readonly status: number;
  readonly requestId: string | null;
  /** From the `Retry-After` header. */
  readonly retryAfterSeconds: number | null;
}

/** The error for an answer. `body` is whatever came: a problem document, or the HTML page of a proxy. */
export function errorFromAnswer(answer: ErrorAnswer, body: unknown): ApiError {
  const problem = asProblem(body);
  const facts: ApiErrorFacts = {
    message: problem?.detail ?? `the server answered ${answer.status} without a problem document`,
    status: answer.status,
    code: problem?.code ?? "unexpected_answer",
    requestId: problem?.requestId ?? answer.requestId,
    retriable: problem?.retriable ?? isRetriableStatus(answer.status),
    errors: problem?.errors ?? [],
    retryAfterSeconds: answer.retryAfterSeconds ?? problem?.retryAfterSeconds ?? null,
    outcome: problem?.outcome ?? null,
  };
  const Specific = BY_STATUS[answer.status] ?? (answer.status >= 500 ? ServerError : ApiError);
  return new Specific(facts);
}

/** Where the answer does not say itself whether trying again makes sense. 409 does not: most conflicts stay. */
function isRetriableStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

const BY_STATUS: Readonly<Record<number, new (facts: ApiErrorFacts) => ApiError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  422: UnprocessableError,
  429: RateLimitError,
};

/** The parts of a problem document that have the right type; `null` for anything else. */
function asProblem(body: unknown): Partial<Problem> | null {
  if (typeof body !== "object" || body === null) return null;
  const given = body as Partial<Record<keyof Problem, unknown>>;
  if (typeof given.code !== "string") return null;
  return {
    code: given.code as ErrorCode,
    ...(typeof given.detail === "string" && { detail: given.detail }),
    ...(typeof given.requestId === "string" && { requestId: given.requestId }),
    ...(typeof given.retriable === "boolean" && { retriable: given.retriable }),
    ...(typeof given.retryAfterSeconds === "number" && { retryAfterSeconds: given.retryAfterSeconds }),
    ...((given.outcome === "failed" || given.outcome === "uncertain") && { outcome: given.outcome }),
    ...(Array.isArray(given.errors) && { errors: given.errors.filter(isFieldProblem) }),
  };
}

function isFieldProblem(value: unknown): value is FieldProblem {
  if (typeof value !== "object" || value === null) return false;
  const given = value as Partial<Record<keyof FieldProblem, unknown>>;
  return typeof given.path === "string" && typeof given.message === "string";
}
