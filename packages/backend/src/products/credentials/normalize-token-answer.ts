import { z } from "zod";
import type { TokenAuth } from "../../connectors/kit/index.ts";
import { jsonOrNull } from "../../platform/runtime/index.ts";

/**
 * A `fetch` that turns a provider's dialect of the token endpoint into the one of RFC 6749, both ways: JSON requests;
 * answers without `token_type`, with numbers as text, with an error under status 200, with a wrong content type.
 *
 * @param onStatus hears the status of the answer, as it should have been
 */
export function normalizingFetch(
  auth: TokenAuth,
  next: typeof fetch,
  onStatus: (status: number, retryAfter: string | null) => void,
): typeof fetch {
  return async (url, init) => {
    const response = await next(url, toDialect(auth, init));
    const text = await response.text();
    const json = parseObject(text);
    const normalized =
      json === null ? new Response(text, { status: response.status }) : fromDialect(json, response.status);
    onStatus(normalized.status, response.headers.get("retry-after"));
    return normalized;
  };
}

function toDialect(auth: TokenAuth, init: RequestInit | undefined): RequestInit | undefined {
  if (auth.tokenRequestFormat === "form" || !(init?.body instanceof URLSearchParams)) return init;
  const headers = new Headers(init.headers);
  headers.set("content-type", "application/json");
  return { ...init, headers, body: JSON.stringify(Object.fromEntries(init.body)) };
}

function fromDialect(json: Readonly<Record<string, unknown>>, status: number): Response {
  const hasToken = typeof json["access_token"] === "string";
  const refused = typeof json["error"] === "string" && !hasToken;
  const body = hasToken
    ? {
        ...json,
        token_type: typeof json["token_type"] === "string" ? json["token_type"] : "bearer",
        // We read no identity from tokens; a stray one must not fail the exchange.
        id_token: undefined,
        expires_in: seconds(json["expires_in"]),
        refresh_token: json["refresh_token"] ?? undefined,
        refresh_token_expires_in: seconds(json["refresh_token_expires_in"]),
        scope: Array.isArray(json["scope"]) ? json["scope"].join(" ") : (json["scope"] ?? undefined),
      }
    : json;
  return Response.json(body, { status: refused && status === 200 ? 400 : status });
}

/** A lifetime as number or text; what is neither, or no sane lifetime, counts as not given. */
function seconds(value: unknown): number | undefined {
  const parsed = Lifetime.safeParse(typeof value === "string" && value.trim() !== "" ? Number(value) : value);
  return parsed.success ? parsed.data : undefined;
}
const TEN_YEARS_SECONDS = 10 * 366 * 86_400;
const Lifetime = z.number().positive().max(TEN_YEARS_SECONDS);

function parseObject(text: string): Record<string, unknown> | null {
  return z.record(z.string(), z.unknown()).safeParse(jsonOrNull(text)).data ?? null;
}
