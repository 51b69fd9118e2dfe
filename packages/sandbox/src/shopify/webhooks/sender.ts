import { Agent, request } from "undici";
import { isLoopback } from "./addresses.ts";

const CONNECT_TIMEOUT_MS = 1000;
const TOTAL_TIMEOUT_MS = 5000;

export interface SendResult {
  readonly status: number | null;
  readonly error: string | null;
}

/** Posts one webhook. Follows no redirect; a redirect is a failure like any other non-2xx. */
export interface Sender {
  send(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<SendResult>;
  close(): Promise<void>;
}

export function httpSender(): Sender {
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, connections: 32, pipelining: 1 });
  return {
    async send(url, headers, body) {
      try {
        const answer = await request(onThisMachine(url), {
          method: "POST",
          headers: { ...headers, host: new URL(url).host },
          body,
          dispatcher: agent,
          signal: AbortSignal.timeout(TOTAL_TIMEOUT_MS),
        });
        await answer.body.dump();
        return { status: answer.statusCode, error: null };
      } catch (error) {
        return { status: null, error: error instanceof Error ? `${error.name}: ${error.message}` : "unknown error" };
      }
    },
    close: () => agent.destroy(),
  };
}

/** `*.localhost` means this machine everywhere; not every resolver knows. */
function onThisMachine(address: string): URL {
  const url = new URL(address);
  if (url.protocol === "http:" && url.hostname !== "[::1]" && isLoopback(url.hostname)) url.hostname = "127.0.0.1";
  return url;
}
