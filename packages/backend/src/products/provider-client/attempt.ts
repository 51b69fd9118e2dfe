import type { Connector, ProviderResponse } from "../../connectors/kit/index.ts";
import { parseJson } from "../../connectors/kit/index.ts";
import type { EgressRequest, EgressResult } from "../../platform/egress/index.ts";
import type { CallDeps, CallInterval } from "./client.ts";
import { genericFault } from "./generic-fault.ts";
import type { Failure } from "./retry.ts";

/** What came of one HTTP exchange. `status` is `null` when there was no answer. */
export type Attempt = {
  readonly status: number | null;
  readonly requestId: string | null;
  readonly read: CallInterval;
} & ({ readonly response: ProviderResponse } | { readonly failure: Failure });

/** Sends once and says what the answer means. */
export async function attempt(
  deps: Pick<CallDeps, "egress" | "clock">,
  connector: Connector,
  request: EgressRequest,
): Promise<Attempt> {
  const startedAt = deps.clock.now();
  const result = await deps.egress.request(request);
  const read = { startedAt, endedAt: deps.clock.now() };
  if (!result.ok) return { status: null, requestId: null, read, failure: silence(result.sent) };
  const facts = { status: result.status, requestId: requestIdOf(result.headers), read };
  // An answer that is cut cannot be read: the request asked for too much.
  if (result.truncated) return { ...facts, failure: { fault: { kind: "too_large" }, reached: "maybe", silent: false } };
  const response = toResponse(result);
  const fault = connector.classify(response) ?? genericFault(response, read.endedAt);
  if (fault === null) return { ...facts, response };
  const reached = fault.kind === "unavailable" ? "maybe" : "no";
  return { ...facts, response, failure: { fault, reached, silent: false } };
}

/** A fault of the provider itself, as opposed to a refusal of this request: it feeds the breaker. */
export function isOutage({ status }: Attempt): boolean {
  return status === null || status >= 500;
}

function silence(sent: boolean): Failure {
  return { fault: { kind: "unavailable" }, reached: sent ? "maybe" : "no", silent: sent };
}

function toResponse(result: EgressResult & { readonly ok: true }): ProviderResponse {
  return { status: result.status, headers: result.headers, body: parseBody(result.body) };
}

/** JSON, `null` when empty, text when it is something else. */
function parseBody(body: Uint8Array): unknown {
  if (body.length === 0) return null;
  const parsed = parseJson(body);
  return "value" in parsed ? parsed.value : Buffer.from(body).toString();
}

/** Names under which providers tell the id that their support asks for. */
const REQUEST_ID_HEADERS = ["x-request-id", "request-id", "x-correlation-id"];
const REQUEST_ID_LENGTH_MAX = 128;

function requestIdOf(headers: Readonly<Record<string, string>>): string | null {
  const name = REQUEST_ID_HEADERS.find((header) => headers[header] !== undefined);
  return name === undefined ? null : (headers[name]?.slice(0, REQUEST_ID_LENGTH_MAX) ?? null);
}
