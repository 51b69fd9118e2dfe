import type { Resumption } from "./machine/index.ts";

/** What redirect mode adds to the return URL. Same as `RETURN_PARAMETERS` of the wire contract. */
const PARAMETERS = { authorization: "pb_authorization", code: "pb_code" } as const;
/** Key in this history entry's state. It holds an id, never a secret: completing takes a session of the same person. */
const HISTORY_KEY = "connectAuthorization";

export function hasReturn(host: Window): boolean {
  return host.location.search.includes(PARAMETERS.authorization);
}

/** Takes the return parameters out of the address, so that they are in no history, log or referrer. */
export function takeReturn(host: Window): Resumption | null {
  const url = new URL(host.location.href);
  const authorizationId = url.searchParams.get(PARAMETERS.authorization);
  if (authorizationId === null) return null;
  const completionCode = url.searchParams.get(PARAMETERS.code);
  url.searchParams.delete(PARAMETERS.authorization);
  url.searchParams.delete(PARAMETERS.code);
  host.history.replaceState(host.history.state, "", url);
  return { authorizationId, verifier: null, completionCode, quiet: false };
}

/** An authorization that was open when this page was reloaded; the first widget of the page takes it. */
export function takeRemembered(host: Window): Resumption | null {
  const id = (asRecord(host.history.state) ?? {})[HISTORY_KEY];
  remember(host, null);
  return typeof id === "string" ? { authorizationId: id, verifier: null, completionCode: null, quiet: true } : null;
}

/** Keeps the id over a reload; `null` forgets. */
export function remember(host: Window, authorizationId: string | null): void {
  const before = asRecord(host.history.state);
  // Some other kind of state belongs to the host alone.
  if (before === null) return;
  const { [HISTORY_KEY]: old, ...rest } = before;
  if (authorizationId === null) {
    if (old !== undefined) host.history.replaceState(Object.keys(rest).length === 0 ? null : rest, "");
    return;
  }
  host.history.replaceState({ ...rest, [HISTORY_KEY]: authorizationId }, "");
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  if (value === null || value === undefined) return {};
  return typeof value === "object" && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null;
}
