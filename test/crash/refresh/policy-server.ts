import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** What a provider does with refresh tokens. */
export const POLICIES = ["stable", "until_replaced", "never", "none"] as const;
export type Policy = (typeof POLICIES)[number];

/** What goes wrong with one request. All but `reset_before` carry it out. */
export const FAULTS = ["drop_after", "500_after", "delay_after", "reset_before", "garbage_after"] as const;
export type Fault = (typeof FAULTS)[number];

/** The tokens that descend from one authorization. */
export interface Family {
  readonly name: string;
  readonly policy: Policy;
  /** The tokens that the authorization gave. */
  readonly accessToken: string;
  readonly refreshToken: string | null;
  calls: number;
  /** Refresh tokens that came again although the policy forbids it. A strict server ends the family then. */
  reuses: number;
  revoked: boolean;
  current: number;
  /** The current token came back, so that the one before it works no more. */
  confirmed: boolean;
  /** Of the next requests, in order. */
  readonly faults: Fault[];
  /** Called when a request was carried out and before it is answered. */
  onCarriedOut: (() => Promise<void> | void) | null;
  /** When each request arrived. */
  readonly arrivals: number[];
}

export interface PolicyServer {
  readonly origin: string;
  /** How long `delay_after` delays. */
  delayMs: number;
  authorize(policy: Policy): Family;
  /** Whether the API would take an access token. */
  accepts(accessToken: string): boolean;
  close(): Promise<void>;
}

/** An authorization server that keeps to one of the four policies per family, counts, and fails as told. */
export async function startPolicyServer(): Promise<PolicyServer> {
  const families = new Map<string, Family>();
  let delayMs = 4_000;

  function refresh(token: string): Family | null {
    const [, name = "", serial = ""] = token.split(".");
    const family = families.get(name);
    if (family === undefined) return null;
    family.calls += 1;
    family.arrivals.push(performance.now());
    if (family.revoked) return null;
    return isGood(family, Number(serial)) ? family : null;
  }

  function answer(family: Family): string {
    if (family.policy !== "stable") {
      family.current += 1;
      family.confirmed = false;
    }
    return JSON.stringify({
      access_token: `access.${family.name}.${family.current}`,
      token_type: "bearer",
      expires_in: 3600,
      ...(family.policy === "stable" ? {} : { refresh_token: `refresh.${family.name}.${family.current}` }),
    });
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const token = new URLSearchParams(Buffer.concat(chunks).toString()).get("refresh_token") ?? "";
    const fault = families.get(token.split(".")[1] ?? "")?.faults.shift();
    if (fault === "reset_before") {
      incoming.socket.resetAndDestroy();
      const family = families.get(token.split(".")[1] ?? "");
      if (family !== undefined) family.calls += 1;
      return;
    }
    const family = refresh(token);
    if (family === null) {
      response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error: "invalid_grant" }));
      return;
    }
    const body = answer(family);
    await family.onCarriedOut?.();
    switch (fault) {
      case "drop_after":
        incoming.socket.destroy();
        return;
      case "500_after":
        response.writeHead(500).end();
        return;
      case "garbage_after":
        response.writeHead(200, { "content-type": "text/html" }).end("<html>?");
        return;
      case "delay_after":
        await delay(delayMs);
        break;
      case undefined:
        break;
    }
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the token server listens on no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    get delayMs() {
      return delayMs;
    },
    set delayMs(ms) {
      delayMs = ms;
    },
    authorize(policy) {
      const name = `f${families.size}`;
      const family: Family = {
        name,
        policy,
        accessToken: `access.${name}.0`,
        refreshToken: policy === "none" ? null : `refresh.${name}.0`,
        calls: 0,
        reuses: 0,
        revoked: false,
        current: 0,
        confirmed: true,
        faults: [],
        onCarriedOut: null,
        arrivals: [],
      };
      families.set(name, family);
      return family;
    },
    accepts(accessToken) {
      const [, name = "", serial = ""] = accessToken.split(".");
      const family = families.get(name);
      return family !== undefined && !family.revoked && Number(serial) === family.current;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function isGood(family: Family, serial: number): boolean {
  switch (family.policy) {
    case "stable":
      return true;
    case "none":
      return false;
    case "until_replaced":
      if (serial === family.current) {
        family.confirmed = true;
        return true;
      }
      // Those before it work until it comes back for the first time.
      if (serial < family.current && !family.confirmed) return true;
      family.reuses += 1;
      return false;
    case "never":
      if (serial === family.current) return true;
      family.reuses += 1;
      family.revoked = true;
      return false;
  }
}
