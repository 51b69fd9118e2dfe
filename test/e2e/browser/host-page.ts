import type { Patchbay } from "@patchbay/node";
import { type Answer, serve } from "./serve.ts";

/** A page of a host product: the widget inline, a button that opens it as a modal, under the strictest policy. */
export interface HostPages {
  readonly origin: string;
  /** Every token that was given to a page: none may be seen anywhere else. */
  readonly tokens: readonly string[];
  /** Makes a page for a tenant of a workspace; `returnUrl` is its own address, to be registered. */
  add(page: HostPage): string;
  close(): Promise<void>;
}

export interface HostPage {
  readonly name: string;
  readonly sdk: Patchbay;
  readonly tenantId?: string;
  readonly openerPolicy?: string;
  /** Gives the first token again and again, as a host with a stale cache does, until this says otherwise. */
  readonly isStale?: () => boolean;
}

export const END_USER = { id: "user-1", label: "Jane Doe", email: "jane@example.com" };

/** On `host.localhost`: another site than the backend's, for cookies and storage, as in real life. */
export async function startHostPages(patchbayUrl: string): Promise<HostPages> {
  const pages = new Map<string, HostPage>();
  const newest = new Map<string, string>();
  const tokens: string[] = [];
  const server = await serve(0, async (request) => {
    const [, name = "", action] = new URL(request.url ?? "/", "http://host.localhost").pathname.split("/");
    if (name === "host.js") return { headers: { "content-type": "text/javascript" }, body: SCRIPT };
    const page = pages.get(name);
    if (page === undefined) return { status: 404 };
    return action === "token" ? { body: await token(page) } : showPage(page, patchbayUrl);
  });
  const origin = `http://host.localhost:${server.port}`;

  async function token(page: HostPage): Promise<string> {
    const kept = newest.get(page.name);
    if (kept !== undefined && page.isStale?.() === true) return kept;
    const session = await page.sdk.connectSessions.create({
      tenantId: page.tenantId ?? "acme",
      endUser: END_USER,
      allowedOrigins: [origin],
      returnUrl: `${origin}/${page.name}`,
    });
    newest.set(page.name, session.token);
    tokens.push(session.token);
    return session.token;
  }

  return {
    origin,
    tokens,
    add(page) {
      pages.set(page.name, page);
      return `${origin}/${page.name}`;
    },
    close: () => server.close(),
  };
}

function showPage(page: HostPage, patchbayUrl: string): Answer {
  return {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy(patchbayUrl),
      ...(page.openerPolicy === undefined ? {} : { "cross-origin-opener-policy": page.openerPolicy }),
    },
    body: document(patchbayUrl),
  };
}

function policy(patchbayUrl: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' ${patchbayUrl}`,
    "style-src 'self'",
    `connect-src 'self' ${patchbayUrl}`,
    "img-src data:",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
}

function document(patchbayUrl: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>A host product</title>
    <link rel="icon" href="data:," />
    <script src="/host.js" defer></script>
    <script async src="${patchbayUrl}/embed/v1.js"></script>
  </head>
  <body>
    <h1>A host product</h1>
    <button type="button" id="open">Open the widget</button>
    <patchbay-connect mode="inline"></patchbay-connect>
  </body>
</html>`;
}

const SCRIPT = `
window.seen = [];
window.patchbayQueue = window.patchbayQueue || [];
const fetchSessionToken = async () => (await fetch(location.pathname + "/token", { method: "POST" })).text();
const widget = document.querySelector("patchbay-connect");
widget.fetchSessionToken = fetchSessionToken;
for (const type of ["connected", "reauthorized", "disconnected", "error", "popup-blocked"]) {
  widget.addEventListener("patchbay:" + type, ({ detail }) => window.seen.push({ type, detail }));
}
document.querySelector("#open").addEventListener("click", () => {
  window.patchbayQueue.push(["open", { fetchSessionToken }]);
});
`;
