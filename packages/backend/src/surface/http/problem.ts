import { AppError, ERROR_CODES, type ErrorCode, type Problem } from "@patchbay/shared";
import type { Context } from "hono";
import { KeyProviderError } from "../../domain/vault/index.ts";
import type { HttpEnv } from "./env.ts";

const DOCS = "https://patchbay.dev/errors/";

const KEYS_RETRY_SECONDS = 30;

/** Turns whatever a handler threw into one problem answer; a bug becomes a logged 500 without its message. */
export function answerProblem(error: unknown, c: Context<HttpEnv>): Response {
  if (error instanceof AppError) return problemResponse(c, error);
  c.get("log")?.error({ error }, "request failed");
  if (error instanceof KeyProviderError) {
    const message = "what is stored cannot be opened now, for want of its keys; try again";
    return problemResponse(c, new AppError("keys_unavailable", message, { retryAfterSeconds: KEYS_RETRY_SECONDS }));
  }
  return problemResponse(c, new AppError("internal", "something went wrong on our side; quote the request id to us"));
}

export function problemResponse(c: Context<HttpEnv>, error: AppError): Response {
  const requestId = c.get("requestId") ?? "";
  const headers: Record<string, string> = { "content-type": "application/problem+json", "x-request-id": requestId };
  if (error.retryAfterSeconds !== undefined) headers["retry-after"] = String(Math.ceil(error.retryAfterSeconds));
  if (error.status === 401) headers["www-authenticate"] = "Bearer";
  // The rest of the body is still on its way: nobody may send the next request behind it.
  if (error.status === 413) headers["connection"] = "close";
  return c.body(JSON.stringify(toProblem(error, requestId)), error.status as never, headers);
}

function toProblem(error: AppError, requestId: string): Problem {
  return {
    type: DOCS + error.code,
    title: titleOf(error.code),
    status: ERROR_CODES[error.code].status,
    code: error.code,
    detail: error.message,
    requestId,
    retriable: error.retriable,
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
    ...(error.errors === undefined ? {} : { errors: error.errors }),
  };
}

/** `record_not_found` → `Record not found` */
function titleOf(code: ErrorCode): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
