/// <reference types="node" />
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type {
  Authorization,
  AuthorizationStatus,
  ConnectBootstrap,
  Connection,
  ConnectProvider,
} from "@patchbay/shared";

/** How the backend of a test answers. Changed while it runs. */
export interface Answers {
  providers: readonly ConnectProvider[];
  connections: readonly Connection[];
  permissions: ConnectBootstrap["permissions"];
  /** Tokens that are good; another is answered 401. */
  tokens: Set<string>;
  session: Refusal | "hang" | null;
  resolve: Refusal | "hang" | null;
  start: Refusal | null;
  complete: Refusal | "hang" | null;
  status: AuthorizationStatus;
  error: string | null;
  run: { done: number; total: number | null; status: "running" | "completed" };
  connection: Partial<Connection>;
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds?: number;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly body: unknown;
}

/** A backend that speaks the contract, with a provider's consent page and a callback page of its own. */
export interface Backend {
  readonly origin: string;
  readonly answers: Answers;
  readonly calls: readonly Call[];
  close(): void;
}

const SHOPIFY: ConnectProvider = {
  id: "shopify",
  name: "Shopify",
  models: ["account", "customer", "product", "variant", "order", "refund"],
  parameters: [
    {
      name: "shop",
      label: "Your Shopify store address",
      hint: "Find it in your browser’s address bar when you’re in Shopify admin.",
      suffix: ".myshopify.com",
      example: "acme.myshopify.com",
    },
  ],
};

export function aConnection(changes: Partial<Connection> = {}): Connection {
  return {
    id: "conn_1",
    tenantId: "acme",
    provider: "shopify",
    providerAccountId: "gid://shopify/Shop/1",
    accountName: "Acme Outdoor",
    accountUrl: null,
    mode: "test",
    status: "active",
    health: "ok",
    statusReason: null,
    models: SHOPIFY.models,
    grantedScopes: [],
    createdAt: "2026-11-20T10:00:00Z",
    activatedAt: "2026-11-20T10:00:00Z",
    lastSyncedAt: "2026-11-22T10:00:00Z",
    latestRun: { id: "run_1", kind: "incremental", status: "completed", done: 3, total: 3 },
    ...changes,
  };
}

export async function startBackend(options: {
  readonly hostOrigin: string;
  readonly script: string;
}): Promise<Backend> {
  const answers: Answers = {
    providers: [SHOPIFY],
    connections: [],
    permissions: ["connect", "reauthorize", "disconnect", "pause", "sync"],
    tokens: new Set(["cst_test_first"]),
    session: null,
    resolve: null,
    start: null,
    complete: null,
    status: "created",
    error: null,
    run: { done: 1_240, total: 5_012, status: "running" },
    connection: {},
  };
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    void answer({ ...options, answers, calls, origin }, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://api.localhost:${portOf(server)}`;
  return { origin, answers, calls, close: () => stop(server) };
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export function stop(server: Server): void {
  server.close();
  server.closeAllConnections();
}

interface Context {
  readonly hostOrigin: string;
  readonly script: string;
  readonly answers: Answers;
  readonly calls: Call[];
  readonly origin: string;
}

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { answers, calls, hostOrigin } = context;
  const url = new URL(request.url ?? "/", context.origin);
  response.setHeader("access-control-allow-origin", request.headers.origin ?? hostOrigin);
  response.setHeader("access-control-allow-headers", "authorization, content-type");
  response.setHeader("access-control-allow-methods", "GET, POST, DELETE");
  if (request.method === "OPTIONS") return send(response, 204);
  if (url.pathname === "/embed/v1.js") return send(response, 200, context.script, "text/javascript");
  if (url.pathname === "/consent") return send(response, 200, CONSENT_PAGE, "text/html");
  if (url.pathname === "/callback") return callback(context, url, response);

  const body = await readBody(request);
  const authorization = request.headers.authorization ?? null;
  const path = url.pathname.replace("/connect/v1", "");
  calls.push({ method: request.method ?? "", path, authorization, body });
  const token = path === "/session" ? (body as { token: string }).token : authorization?.replace("Bearer ", "");
  if (!answers.tokens.has(token ?? "")) return refuse(response, { status: 401, code: "session_expired" });
  const [refusal, good] = route(answers, request.method ?? "", path, body, context);
  if (refusal === "hang") return;
  if (refusal !== null) return refuse(response, refusal);
  send(response, good === undefined ? 204 : 200, good === undefined ? "" : JSON.stringify(good));
}

function route(
  answers: Answers,
  method: string,
  path: string,
  body: unknown,
  { origin }: Context,
): [Refusal | "hang" | null, unknown?] {
  if (path === "/session") return [answers.session, bootstrap(answers)];
  if (path.endsWith("/resolve")) return [answers.resolve, body];
  if (path === "/authorizations") {
    answers.status = "created";
    answers.error = null;
    return [answers.start, { id: "auth_1", startUrl: `${origin}/consent`, expiresAt: "2030-01-01T00:00:00Z" }];
  }
  if (path.endsWith("/complete")) {
    if (answers.complete === null) answers.status = "completed";
    return [answers.complete, authorizationOf(answers)];
  }
  if (method === "DELETE") return [null];
  if (path.startsWith("/authorizations/")) return [null, authorizationOf(answers)];
  if (path.endsWith("/pause")) answers.connection = { ...answers.connection, status: "paused" };
  if (path.endsWith("/resume")) answers.connection = { ...answers.connection, status: "active" };
  return [null, importing(answers)];
}

function bootstrap({ providers, connections, permissions }: Answers): ConnectBootstrap {
  return {
    sessionId: "cs_1",
    hostName: "Northwind",
    mode: "test",
    endUser: { id: "user_1", label: "Jane Doe", email: "jane@acme.com" },
    permissions,
    locale: null,
    expiresAt: "2030-01-01T00:00:00Z",
    providers,
    connections,
  };
}

function authorizationOf(answers: Answers): Authorization {
  return {
    id: "auth_1",
    provider: "shopify",
    status: answers.status,
    error: answers.error,
    accountName: "Acme Outdoor",
    connection: answers.status === "completed" ? importing(answers) : null,
    missingScopes: [],
    expiresAt: "2030-01-01T00:00:00Z",
  };
}

function importing({ run, connection }: Answers): Connection {
  return aConnection({ lastSyncedAt: null, latestRun: { id: "run_1", kind: "initial", ...run }, ...connection });
}

const CONSENT_PAGE = `<!doctype html><html lang="en"><title>Consent</title>
<h1>Install Northwind?</h1><a href="/callback">Install</a> <a href="/callback?error=access_denied">Cancel</a></html>`;

function callback({ answers, hostOrigin }: Context, url: URL, response: ServerResponse): void {
  const denied = url.searchParams.has("error");
  answers.status = denied ? "failed" : "exchanged";
  answers.error = denied ? "access_denied" : null;
  const message = {
    type: "patchbay:authorization",
    authorizationId: "auth_1",
    ...(denied ? {} : { completionCode: "code_1" }),
  };
  const script = `opener?.postMessage(${JSON.stringify(message)}, ${JSON.stringify(hostOrigin)})`;
  send(
    response,
    200,
    `<!doctype html><title>Done</title><p>You can close this window.</p><script>${script}</script>`,
    "text/html",
  );
}

function refuse(response: ServerResponse, { status, code, retryAfterSeconds }: Refusal): void {
  const problem = {
    type: "about:blank",
    title: code,
    status,
    code,
    detail: code,
    requestId: "req_1",
    retriable: false,
    retryAfterSeconds,
  };
  send(response, status, JSON.stringify(problem), "application/problem+json");
}

function send(response: ServerResponse, status: number, body = "", type = "application/json"): void {
  response.writeHead(status, { "content-type": type });
  response.end(body);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? null : JSON.parse(text);
}
