import type {
  Authorization,
  CompleteAuthorization,
  ConnectBootstrap,
  Connection,
  Problem,
  StartAuthorization,
  StartedAuthorization,
} from "@patchbay/shared";
import type { ConnectOptions, TokenReason } from "./types.ts";

/** How long one answer may take. */
const DEADLINE_MS = 15_000;

/** A request that did not work, with the backend's code, or `network` when there was no answer. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly code: string;
  readonly requestId: string | null;
  readonly retryAfterSeconds: number;

  constructor(code: string, message: string, details: { requestId?: string | null; retryAfterSeconds?: number } = {}) {
    super(message);
    this.code = code;
    this.requestId = details.requestId ?? null;
    this.retryAfterSeconds = details.retryAfterSeconds ?? 0;
  }
}

export interface ApiClientDeps {
  readonly apiBase: string;
  readonly fetch: typeof fetch;
  readonly fetchSessionToken: ConnectOptions["fetchSessionToken"];
  /** Ends every request when the widget is gone. */
  readonly signal: AbortSignal;
}

/** What the widget asks of the backend. */
export interface ApiClient {
  loadSession(reason: TokenReason): Promise<ConnectBootstrap>;
  resolve(provider: string, parameters: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>;
  startAuthorization(input: StartAuthorization): Promise<StartedAuthorization>;
  authorization(id: string): Promise<Authorization>;
  completeAuthorization(id: string, proof: CompleteAuthorization): Promise<Authorization>;
  cancelAuthorization(id: string): Promise<void>;
  connection(id: string): Promise<Connection>;
  changeConnection(id: string, verb: "pause" | "resume" | "sync" | "disconnect"): Promise<void>;
}

/**
 * Speaks `/connect/v1`. The token lives in this closure alone: it is never in a URL, an attribute or a storage.
 *
 * A 401 or a forbidden session asks the host for a new token, once per request and once at a time, and tries again.
 */
export function createApiClient(deps: ApiClientDeps): ApiClient {
  let token: string | null = null;
  let refreshing: Promise<string> | null = null;

  const refresh = (reason: TokenReason): Promise<string> => {
    refreshing ??= askHost(deps, reason)
      .then((fresh) => (token = fresh))
      .finally(() => (refreshing = null));
    return refreshing;
  };

  const withToken = async <T>(send: (token: string) => Promise<T>): Promise<T> => {
    const used = token ?? (await refresh("init"));
    try {
      return await send(used);
    } catch (error) {
      const reason = refreshReason(error);
      if (reason === null) throw error;
      // Another request may have brought a newer token meanwhile.
      return send(token !== null && token !== used ? token : await refresh(reason));
    }
  };

  const call = <T>(method: string, path: string, body?: unknown, keepalive = false): Promise<T> =>
    withToken((bearer) =>
      request<T>(deps, path, {
        method,
        keepalive,
        headers: {
          authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );

  return {
    async loadSession(reason) {
      if (reason !== "init" || token === null) await refresh(reason);
      // `text/plain` needs no preflight: the list is one round trip earlier on screen.
      return withToken((bearer) =>
        request<ConnectBootstrap>(deps, "/session", {
          method: "POST",
          headers: { "content-type": "text/plain" },
          body: JSON.stringify({ token: bearer }),
        }),
      );
    },
    async resolve(provider, parameters) {
      const path = `/providers/${encodeURIComponent(provider)}/resolve`;
      return (await call<{ parameters: Readonly<Record<string, string>> }>("POST", path, { parameters })).parameters;
    },
    startAuthorization: (input) => call("POST", "/authorizations", input),
    authorization: (id) => call("GET", `/authorizations/${encodeURIComponent(id)}`),
    completeAuthorization: (id, proof) => call("POST", `/authorizations/${encodeURIComponent(id)}/complete`, proof),
    cancelAuthorization: (id) => call("DELETE", `/authorizations/${encodeURIComponent(id)}`, undefined, true),
    connection: (id) => call("GET", `/connections/${encodeURIComponent(id)}`),
    async changeConnection(id, verb) {
      const path = `/connections/${encodeURIComponent(id)}`;
      if (verb === "disconnect") await call("DELETE", path);
      else await call("POST", `${path}/${verb === "sync" ? "runs" : verb}`);
    },
  };
}

async function askHost(deps: ApiClientDeps, reason: TokenReason): Promise<string> {
  const fresh: unknown = await deps.fetchSessionToken({ reason });
  if (typeof fresh === "string" && fresh !== "") return fresh;
  throw new ApiFailure("unknown", "fetchSessionToken answered no token");
}

async function request<T>(deps: ApiClientDeps, path: string, init: RequestInit): Promise<T> {
  const response = await send(deps, path, init);
  const body = response.status === 204 ? undefined : await readJson(response);
  if (response.ok) return body as T;
  throw toFailure(response, body);
}

async function send(deps: ApiClientDeps, path: string, init: RequestInit): Promise<Response> {
  try {
    return await deps.fetch(`${deps.apiBase}/connect/v1${path}`, {
      ...init,
      credentials: "omit",
      cache: "no-store",
      referrerPolicy: "origin",
      signal: AbortSignal.any([deps.signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
  } catch (error) {
    throw new ApiFailure("network", error instanceof Error ? error.message : "no answer");
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    if (response.ok) throw new ApiFailure("unknown", `answered ${response.status} without JSON; check apiBase`);
    return null;
  }
}

function toFailure(response: Response, body: unknown): ApiFailure {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  const after = Number(problem.retryAfterSeconds ?? response.headers.get("retry-after") ?? 0);
  return new ApiFailure(problem.code ?? "unknown", problem.detail ?? `answered ${response.status}`, {
    requestId: problem.requestId ?? response.headers.get("x-request-id"),
    retryAfterSeconds: Number.isFinite(after) ? after : 0,
  });
}

function refreshReason(error: unknown): TokenReason | null {
  if (!(error instanceof ApiFailure)) return null;
  if (error.code === "session_expired" || error.code === "unauthenticated") return "expired";
  return error.code === "session_forbidden" ? "forbidden" : null;
}
