import { lookup as lookupByDns } from "node:dns/promises";
import { Agent } from "undici";
import type { Logger } from "../observability/index.ts";
import { checkUrl } from "./check-url.ts";
import { exchange } from "./exchange.ts";
import { fetchLike, type FetchPolicy } from "./fetch-like.ts";
import { createConnector, type Lookup } from "./guarded-connector.ts";
import type { EgressRequest, EgressResult } from "./request.ts";

/** The only way out of the process for requests whose target somebody else chose. */
export interface Egress {
  request(request: EgressRequest): Promise<EgressResult>;
  /** The same guard as a `fetch`, for libraries that take one. */
  fetchLike(policy: FetchPolicy): typeof fetch;
  close(): Promise<void>;
}

/** Connections per origin. */
const CONNECTIONS_MAX = 64;
const HEADER_BYTES_MAX = 16 * 1024;
const KEEP_ALIVE_MS = 10_000;
const KEEP_ALIVE_MS_MAX = 30_000;

/**
 * Guarded and exempt connections never share a pool. Proxies of the environment are ignored: they would do the
 * connecting, past the guard.
 */
export function createEgress(deps: { readonly log: Logger; readonly lookup?: Lookup }): Egress {
  const lookup = deps.lookup ?? ((hostname) => lookupByDns(hostname, { all: true }));
  const guarded = createAgent(lookup, true);
  const exempt = createAgent(lookup, false);

  async function request(wanted: EgressRequest): Promise<EgressResult> {
    const target = checkUrl(wanted);
    const result: EgressResult =
      "problem" in target
        ? { ok: false, problem: target.problem, sent: false }
        : await exchange(target.exempt ? exempt : guarded, wanted, target.url);
    if (!result.ok && result.problem === "blocked_address") deps.log.warn({ method: wanted.method }, "egress blocked");
    return result;
  }

  return {
    request,
    fetchLike: (policy) => fetchLike(request, policy),
    async close() {
      await Promise.all([guarded.destroy(), exempt.destroy()]);
    },
  };
}

function createAgent(lookup: Lookup, guarded: boolean): Agent {
  return new Agent({
    connect: createConnector(lookup, guarded),
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS_MAX,
  });
}
