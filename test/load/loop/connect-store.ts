import type { Patchbay } from "@patchbay/node";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingHttpHeaders } from "node:http";

/**
 * Connects a store of the sandbox the way a browser does in redirect mode: start, consent, callback, back to the
 * host's page, complete.
 *
 * @param input.returnUrl one of the workspace's return URLs
 * @returns the connection's id
 */
export async function connectStore(input: {
  readonly patchbay: Patchbay;
  readonly patchbayUrl: string;
  readonly tenantId: string;
  readonly shop: string;
  readonly returnUrl: string;
}): Promise<string> {
  const { patchbay, patchbayUrl, shop, returnUrl } = input;
  const origin = new URL(returnUrl).origin;
  const session = await patchbay.connectSessions.create({
    tenantId: input.tenantId,
    endUser: { id: "bench", email: "bench@host.example" },
    allowedOrigins: [origin],
    returnUrl,
  });
  const asWidget = { authorization: `Bearer ${session.token}`, origin, "content-type": "application/json" };
  const verifier = randomBytes(32).toString("base64url");
  const started = await expectJson<{ id: string; startUrl: string }>(
    call(`${patchbayUrl}/connect/v1/authorizations`, {
      headers: asWidget,
      body: JSON.stringify({
        provider: "shopify",
        parameters: { shop },
        verifierChallenge: createHash("sha256").update(verifier).digest("base64url"),
        display: "redirect",
      }),
    }),
  );
  const atStart = await call(started.startUrl, { headers: AS_PAGE });
  const consented = await call(locationOf(atStart, started.startUrl), {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "decision=install",
  });
  const callbackUrl = locationOf(consented, started.startUrl);
  const back = await call(callbackUrl, { headers: { ...AS_PAGE, cookie: cookiesOf(atStart.headers) } });
  const returned = new URL(locationOf(back, callbackUrl)).searchParams;
  const completed = await expectJson<{ connection: { id: string } | null }>(
    call(`${patchbayUrl}/connect/v1/authorizations/${started.id}/complete`, {
      headers: asWidget,
      body: JSON.stringify({ verifier, completionCode: returned.get("pb_code") ?? undefined }),
    }),
  );
  if (completed.connection === null) throw new Error("the authorization completed without a connection");
  return completed.connection.id;
}

/** What a browser says of itself when a person follows a link. */
const AS_PAGE = { accept: "text/html", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };
const DEADLINE_MS = 10_000;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `node:http` rather than `fetch`: this is a browser, which sets headers that `fetch` may not. */
async function call(
  url: string,
  given: { readonly headers: Readonly<Record<string, string>>; readonly body?: string },
): Promise<Answer> {
  const { hostname, port, pathname, search, host } = new URL(url);
  const outgoing = request({
    // Names below localhost mean this machine, which not every resolver knows.
    hostname: hostname.endsWith("localhost") ? "127.0.0.1" : hostname,
    port,
    path: pathname + search,
    method: given.body === undefined ? "GET" : "POST",
    headers: { ...given.headers, host },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  outgoing.end(given.body);
  const [answer] = await once(outgoing, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}

async function expectJson<Body>(answering: Promise<Answer>): Promise<Body> {
  const answer = await answering;
  if (answer.status >= 300) throw new Error(`the connect API answered ${answer.status}: ${answer.body.slice(0, 300)}`);
  return JSON.parse(answer.body) as Body;
}

function locationOf(answer: Answer, base: string): string {
  const { location } = answer.headers;
  if (location !== undefined) return new URL(location, base).href;
  throw new Error(`expected a redirect, got ${answer.status}: ${answer.body.slice(0, 300)}`);
}

function cookiesOf(headers: IncomingHttpHeaders): string {
  return (headers["set-cookie"] ?? []).map((cookie) => cookie.split(";", 1)[0]).join("; ");
}
