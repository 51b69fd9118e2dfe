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

  constructor(code: string, requestId: string | null = null, retryAfterSeconds = 0) {
    super(code);
    this.code = code;
    this.requestId = requestId;
    this.retryAfterSeconds = retryAfterSeconds;
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
      const path = `/providers/${provider}/resolve`;
      return (await call<{ parameters: Readonly<Record<string, string>> }>("POST", path, { parameters })).parameters;
    },
    startAuthorization: (input) => call("POST", "/authorizations", input),
    authorization: (id) => call("GET", `/authorizations/${id}`),
    completeAuthorization: (id, proof) => call("POST", `/authorizations/${id}/complete`, proof),
    cancelAuthorization: (id) => call("DELETE", `/authorizations/${id}`, undefined, true),
    connection: (id) => call("GET", `/connections/${id}`),
    async changeConnection(id, verb) {
      const path = `/connections/${id}`;
      if (verb === "disconnect") await call("DELETE", path);
      else await call("POST", `${path}/${verb === "sync" ? "runs" : verb}`);
    },
  };
}

async function askHost(deps: ApiClientDeps, reason: TokenReason): Promise<string> {
  const fresh: unknown = await deps.fetchSessionToken({ reason });
  if (typeof fresh === "string" && fresh !== "") return fresh;
  throw new ApiFailure("unknown");
}

async function request<T>(deps: ApiClientDeps, path: string, init: RequestInit): Promise<T> {
  const response = await send(deps, path, init);
  const body = response.status === 204 ? undefined : await readJson(response);
  if (response.ok) return body as T;
  throw toFailure(response, body);
}

async function send(deps: ApiClientDeps, path: string, init: RequestInit): Promise<Response> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    return await deps.fetch(`${deps.apiBase}/connect/v1${path}`, {
      ...init,
      // A request that is to outlive the page outlives the widget, too.
      signal: AbortSignal.any(init.keepalive ? [deadline] : [deps.signal, deadline]),
    });
  } catch {
    throw new ApiFailure("network");
  }
}

/** What is no JSON is no answer of the backend: most likely `apiBase` is wrong. */
async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new ApiFailure("unknown");
  }
}

function toFailure(response: Response, body: unknown): ApiFailure {
  const { code, requestId, retryAfterSeconds } = (body ?? {}) as Partial<Problem>;
  return new ApiFailure(
    code ?? "unknown",
    requestId ?? response.headers.get("x-request-id"),
    retryAfterSeconds ?? (Number(response.headers.get("retry-after")) || 0),
  );
}

function refreshReason(error: unknown): TokenReason | null {
  if (!(error instanceof ApiFailure)) return null;
  if (error.code === "session_expired" || error.code === "unauthenticated") return "expired";
  return error.code === "session_forbidden" ? "forbidden" : null;
}
