import type { LookupAddress } from "node:dns";
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import { classify } from "./classify.ts";
import type { EgressProblem } from "./request.ts";

/** All addresses of a name. */
export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

/** What we show in the TLS handshake, in PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** No connection was made, hence nothing sent. */
export class ConnectFailed extends Error {
  override readonly name = "ConnectFailed";
  readonly problem: EgressProblem;
  constructor(problem: EgressProblem, cause?: unknown) {
    super(`not connected: ${problem}`, { cause });
    this.problem = problem;
  }
}

/** From the look-up to the end of the TLS handshake. */
const CONNECT_MS_MAX = 3_000;
/** An answer may hold any number of addresses; all are judged, so many are tried. */
const ADDRESSES_TRIED_MAX = 8;

/**
 * Connects where the URL says, and nowhere it must not: the name is looked up here, every address of the answer is
 * judged, the connection goes to these very addresses, and the peer is judged again before TLS begins. A name that
 * resolves to something else a moment later changes nothing.
 *
 * @param guarded `false` for exempt origins: same limits, no judgement
 */
export function createConnector(
  lookup: Lookup,
  guarded: boolean,
  identity: TlsIdentity | null,
): buildConnector.connector {
  return (options, callback) => {
    void callBack(connect(lookup, guarded, identity, options), callback);
  };
}

async function callBack(connecting: Promise<Socket | TLSSocket>, callback: buildConnector.Callback): Promise<void> {
  try {
    callback(null, await connecting);
  } catch (error) {
    callback(error instanceof Error ? error : new ConnectFailed("network", error), null);
  }
}

async function connect(
  lookup: Lookup,
  guarded: boolean,
  identity: TlsIdentity | null,
  options: buildConnector.Options,
): Promise<Socket | TLSSocket> {
  const timeout = AbortSignal.timeout(CONNECT_MS_MAX);
  const addresses = await resolve(lookup, options.hostname, timeout);
  if (guarded && addresses.some(({ address }) => classify(address) === "blocked")) {
    throw new ConnectFailed("blocked_address");
  }
  const port = Number(options.port !== "" ? options.port : options.protocol === "https:" ? 443 : 80);
  const socket = await openTcp(options.hostname, port, addresses.slice(0, ADDRESSES_TRIED_MAX), timeout);
  if (guarded && classify(socket.remoteAddress ?? "") === "blocked") {
    socket.destroy();
    throw new ConnectFailed("blocked_address");
  }
  socket.setNoDelay(true);
  if (options.protocol !== "https:") return socket;
  return await openTls(socket, options.servername ?? options.hostname, identity, timeout);
}

async function resolve(lookup: Lookup, hostname: string, timeout: AbortSignal): Promise<readonly LookupAddress[]> {
  const family = isIP(hostname);
  if (family !== 0) return [{ address: hostname, family }];
  const addresses = await settledBefore(timeout, lookup(hostname)).catch((error: unknown) => {
    throw error instanceof ConnectFailed ? error : new ConnectFailed("dns", error);
  });
  if (addresses.length === 0) throw new ConnectFailed("dns");
  return addresses;
}

/** Tries the addresses as a browser would (RFC 8305), without asking for the name again. */
async function openTcp(
  hostname: string,
  port: number,
  addresses: readonly LookupAddress[],
  timeout: AbortSignal,
): Promise<Socket> {
  const checked: LookupFunction = (_hostname, _options, done) => done(null, [...addresses]);
  const socket = connectTcp({ host: hostname, port, lookup: checked, autoSelectFamily: true });
  await opened(socket, "connect", timeout, (error) =>
    codeOf(error) === "ECONNREFUSED" ? "connection_refused" : "network",
  );
  return socket;
}

async function openTls(
  tcp: Socket,
  servername: string,
  identity: TlsIdentity | null,
  timeout: AbortSignal,
): Promise<TLSSocket> {
  // A literal address may not stand in SNI; its certificate is checked against `host`.
  const name = isIP(servername) === 0 ? { servername } : { host: servername };
  let socket: TLSSocket;
  try {
    socket = connectTls({ socket: tcp, ...name, ...identity, ALPNProtocols: ["http/1.1"] });
  } catch (error) {
    // A certificate or key that OpenSSL cannot read, or that do not belong together.
    tcp.destroy();
    throw new ConnectFailed("tls", error);
  }
  await opened(socket, "secureConnect", timeout, () => "tls");
  return socket;
}

async function opened(
  socket: Socket,
  event: "connect" | "secureConnect",
  timeout: AbortSignal,
  problemOf: (error: unknown) => EgressProblem,
): Promise<void> {
  const ready = new Promise<void>((resolvePromise, reject) => {
    socket.once(event, resolvePromise);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed while connecting")));
  });
  try {
    await settledBefore(timeout, ready);
  } catch (error) {
    // Whoever destroys a socket hears of its errors no more; without a listener they would end the process.
    socket.on("error", () => {});
    socket.destroy();
    throw error instanceof ConnectFailed ? error : new ConnectFailed(problemOf(error), error);
  }
}

function settledBefore<T>(timeout: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolvePromise, reject) => {
    const late = () => reject(new ConnectFailed("timeout"));
    if (timeout.aborted) late();
    timeout.addEventListener("abort", late, { once: true });
    work.then(resolvePromise, reject).finally(() => timeout.removeEventListener("abort", late));
  });
}

/** With several addresses the reason is in the list of tries. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
