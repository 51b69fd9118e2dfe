import { lookup as lookupByDns } from "node:dns/promises";
import { LRUCache } from "lru-cache";
import { createHash } from "node:crypto";
import { Agent } from "undici";
import type { Logger } from "../observability/index.ts";
import { checkUrl } from "./check-url.ts";
import { exchange } from "./exchange.ts";
import { fetchLike, type FetchPolicy } from "./fetch-like.ts";
import { createConnector, type Lookup, type TlsIdentity } from "./guarded-connector.ts";
import type { ClientCertificate, EgressRequest, EgressResult } from "./request.ts";

/** The only way out of the process for requests whose target somebody else chose. */
export interface Egress {
  request(request: EgressRequest): Promise<EgressResult>;
  /** The same guard as a `fetch`, for libraries that take one. */
  fetchLike(policy: FetchPolicy): typeof fetch;
  close(): Promise<void>;
}

/** Connections per origin. */
const CONNECTIONS_MAX = 64;
/** Client certificates with open connections; the one that was used longest ago gives way. */
const CERTIFICATES_MAX = 100;
const HEADER_BYTES_MAX = 16 * 1024;
const KEEP_ALIVE_MS = 10_000;
const KEEP_ALIVE_MS_MAX = 30_000;

/**
 * Guarded and exempt connections never share a pool. Proxies of the environment are ignored: they would do the
 * connecting, past the guard.
 */
export function createEgress(deps: {
  readonly log: Logger;
  readonly lookup?: Lookup;
  readonly onBlocked?: () => void;
}): Egress {
  const lookup = deps.lookup ?? ((hostname) => lookupByDns(hostname, { all: true }));
  const guarded = createAgent(lookup, true, null);
  const exempt = createAgent(lookup, false, null);
  const certified = new LRUCache<string, Agent>({
    max: CERTIFICATES_MAX,
    // Requests under way end in their own time.
    dispose: (agent) => void agent.close(),
  });

  function agentFor(certificate: ClientCertificate | undefined, isExempt: boolean): Agent {
    if (certificate === undefined) return isExempt ? exempt : guarded;
    const name = poolName(certificate, isExempt);
    const known = certified.get(name);
    if (known !== undefined) return known;
    const identity = { cert: certificate.certificate, key: certificate.privateKey.reveal() };
    const agent = createAgent(lookup, !isExempt, identity);
    certified.set(name, agent);
    return agent;
  }

  async function request(wanted: EgressRequest): Promise<EgressResult> {
    const target = checkUrl(wanted);
    const result: EgressResult =
      "problem" in target
        ? { ok: false, problem: target.problem, sent: false }
        : await exchange(agentFor(wanted.clientCertificate, target.exempt), wanted, target.url);
    if (!result.ok && result.problem === "blocked_address") {
      deps.log.warn({ method: wanted.method }, "egress blocked");
      deps.onBlocked?.();
    }
    return result;
  }

  return {
    request,
    fetchLike: (policy) => fetchLike(request, policy),
    async close() {
      const certifiedAgents = [...certified.values()];
      await Promise.all([guarded, exempt, ...certifiedAgents].map((agent) => agent.destroy()));
    },
  };
}

/** Owner, certificate and key together: whoever changes one of them gets connections of its own. */
function poolName({ owner, certificate, privateKey }: ClientCertificate, isExempt: boolean): string {
  const hash = createHash("sha256");
  for (const part of [owner, certificate, privateKey.reveal(), String(isExempt)]) {
    hash.update(`${Buffer.byteLength(part)}:${part}`);
  }
  return hash.digest("base64url");
}

function createAgent(lookup: Lookup, guarded: boolean, identity: TlsIdentity | null): Agent {
  return new Agent({
    connect: createConnector(lookup, guarded, identity),
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS_MAX,
  });
}
