import type { Connection, ModelName } from "@patchbay/shared";
import { createHash, randomBytes } from "node:crypto";
import { waitFor } from "./wait-for.ts";
import type { TestProduct, TestWorkspace } from "./product.ts";

export interface ConnectStore {
  readonly tenantId?: string;
  readonly shop?: string;
  readonly models?: readonly ModelName[];
  /** Waits for the end of the first import; default true. */
  readonly awaitImport?: boolean;
  /** Told of what only this browser holds. */
  readonly onSecret?: (name: string, value: string) => void;
}

const ORIGIN = "http://host.localhost:9";
const IMPORT_MS_MAX = 60_000;

/** Connects a sandbox store as the widget and a person would, over HTTP alone: for tests that are not about connecting. */
export async function connectStore(
  product: Pick<TestProduct, "url">,
  { sdk }: Pick<TestWorkspace, "sdk">,
  options: ConnectStore = {},
): Promise<Connection> {
  const { tenantId = "acme", shop = "acme-goods.myshopify.com" } = options;
  await sdk.tenants.upsert({ id: tenantId });
  const session = await sdk.connectSessions.create({
    tenantId,
    endUser: { id: "user-1", email: "jane@example.com" },
    allowedOrigins: [ORIGIN],
    ...(options.models === undefined ? {} : { models: options.models }),
  });
  const call = (method: string, path: string, body?: unknown) =>
    json(`${product.url}/connect/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${session.token}`, origin: ORIGIN, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  const verifier = randomBytes(32).toString("base64url");
  const started = await call("POST", "/authorizations", {
    provider: "shopify",
    parameters: { shop },
    verifierChallenge: createHash("sha256").update(verifier).digest("base64url"),
    display: "popup",
  });
  const completionCode = await consent(String(started["startUrl"]));
  options.onSecret?.("verifier", verifier);
  options.onSecret?.("completionCode", completionCode);
  const done = await call("POST", `/authorizations/${String(started["id"])}/complete`, { verifier, completionCode });
  const connection = done["connection"] as Connection | null;
  if (connection === null) throw new Error(`not connected: ${JSON.stringify(done)}`);
  if (options.awaitImport !== false) {
    await waitFor(async () => (await sdk.connections.retrieve(connection.id)).lastSyncedAt, {
      timeoutMs: IMPORT_MS_MAX,
      what: "the first import",
    });
  }
  return connection;
}

/** Walks from the start URL through the sandbox's consent page and back; gives the code that the popup would post. */
async function consent(startUrl: string): Promise<string> {
  const start = await fetch(startUrl, { redirect: "manual" });
  const cookie = (start.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const consentUrl = start.headers.get("location") ?? "";
  const page = await (await fetch(consentUrl)).text();
  const fields = [...page.matchAll(/<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)].map(
    ([, name = "", value = ""]) => [name, unescapeHtml(value)] as [string, string],
  );
  const action = unescapeHtml(/<form[^>]*action="([^"]+)"/.exec(page)?.[1] ?? consentUrl);
  const approved = await fetch(new URL(action, consentUrl), {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded", origin: new URL(consentUrl).origin },
    body: new URLSearchParams([...fields, ["decision", "install"]]),
  });
  const callback = await fetch(approved.headers.get("location") ?? "", {
    headers: { cookie, "sec-fetch-dest": "document" },
  });
  const text = await callback.text();
  const code = /"completionCode":"([^"]+)"/.exec(text)?.[1];
  if (code === undefined) throw new Error(`no completion code: ${callback.status} ${text.slice(0, 2_000)}`);
  return code;
}

async function json(url: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${init.method ?? "GET"} ${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

function unescapeHtml(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}
