import Provider, { type ClientMetadata, type Configuration } from "oidc-provider";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import * as tls from "node:tls";
import type { TestAuthority } from "./certificates.ts";
import { JWT_BEARER } from "./accept-assertions.ts";
import { SCOPE } from "./test-connector.ts";

/** A certified authorization server (oidc-provider) over TLS, with an API that its tokens open. */
export interface AuthorizationServer extends AsyncDisposable {
  readonly origin: string;
  readonly provider: Provider;
  /** Requests to the token endpoint and its neighbours, without their bodies. */
  readonly asked: { readonly path: string; readonly authorization: string | undefined }[];
  /** Client certificate of each API request, in PEM; `null`: it came without. */
  readonly shown: (string | null)[];
  /** The next requests need new handshakes. */
  dropConnections(): void;
  /** Answers the next requests to a path itself, such as `/token/revocation` with 503. */
  breakPath(path: string, statuses: readonly number[]): void;
  /** Walks the consent as a browser would. @returns where it is sent back to */
  consent(authorizationUrl: string): Promise<URL>;
}

const HOPS_MAX = 12;

export async function startAuthorizationServer(
  authority: TestAuthority,
  given: {
    readonly clients: (origin: string) => ClientMetadata[];
    /** What `/client-jwks` serves: the public keys of the client that signs. */
    readonly jwks?: () => Promise<unknown>;
    readonly configuration?: Configuration;
  },
): Promise<AuthorizationServer> {
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), authority.root]);
  const own = authority.issue("localhost");
  const server = createServer({
    cert: own.certificate,
    key: own.privateKey,
    ca: authority.root,
    requestCert: true,
    rejectUnauthorized: false,
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const origin = `https://localhost:${address.port}`;
  const provider = new Provider(origin, { ...configuration(given.clients(origin)), ...given.configuration });
  const callback = provider.callback();
  const asked: { path: string; authorization: string | undefined }[] = [];
  const shown: (string | null)[] = [];
  const broken = new Map<string, number[]>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", origin).pathname;
    if (path.startsWith("/interaction/")) return interact(provider, request, response);
    if (path === "/api/me") {
      shown.push(certificateOf(request)?.toString() ?? null);
      return whoAmI(provider, request, response);
    }
    if (path === "/client-jwks") {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(await given.jwks?.()));
      return;
    }
    if (path.startsWith("/token")) asked.push({ path, authorization: request.headers.authorization });
    const status = broken.get(path)?.shift();
    if (status === undefined) return callback(request, response);
    response.writeHead(status, { "content-type": "application/json" }).end("{}");
  }
  server.on("request", (request, response) => void handle(request, response));

  return {
    origin,
    provider,
    asked,
    shown,
    dropConnections: () => server.closeAllConnections(),
    breakPath: (path, statuses) => void broken.set(path, [...statuses]),
    consent: (url) => consent(origin, url),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function configuration(clients: ClientMetadata[]): Configuration {
  return {
    clients,
    scopes: ["openid", "offline_access", SCOPE],
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "none"],
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    cookies: { keys: ["test"] },
    // Its own guard refuses addresses of this machine, where our keys are served.
    fetch: (url, init) => globalThis.fetch(url, { signal: init?.signal ?? null }),
    ttl: {
      AccessToken: 3600,
      ClientCredentials: 600,
      Grant: 3600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 600,
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      revocation: { enabled: true, allowedPolicy: async () => true },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        getCertificate: (context) => certificateOf(context.req)?.toString(),
        certificateAuthorized: (context) => (context.req.socket as TLSSocket).authorized,
        certificateSubjectMatches: (context, property, expected) =>
          property === "tls_client_auth_subject_dn" && certificateOf(context.req)?.subject === expected,
      },
    },
  };
}

function certificateOf(request: IncomingMessage) {
  return (request.socket as TLSSocket).getPeerX509Certificate();
}

/** Everybody is Jane, and Jane agrees to everything. */
async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: "jane" } });
  }
  const grant = new provider.Grant({
    accountId: session?.accountId ?? "jane",
    clientId: String(params["client_id"]),
  });
  grant.addOIDCScope(String(params["scope"]));
  const grantId = await grant.save();
  return provider.interactionFinished(request, response, { consent: { grantId } });
}

async function whoAmI(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const socket = request.socket as TLSSocket;
  const subject = socket.authorized ? certificateOf(request)?.subject : undefined;
  if (request.headers.authorization === undefined && subject !== undefined) {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ account: subject, scope: SCOPE }));
    return;
  }
  const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const found = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
  const known = found !== undefined && !found.isExpired;
  response.writeHead(known ? 200 : 401, { "content-type": "application/json" });
  // An assertion names its account; other tokens are their client's.
  const account = found !== undefined && "gty" in found && found.gty === JWT_BEARER ? found.accountId : found?.clientId;
  response.end(JSON.stringify(known ? { account, scope: found.scope ?? "" } : {}));
}

async function consent(origin: string, authorizationUrl: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(authorizationUrl);
  for (let hop = 0; hop < HOPS_MAX; hop++) {
    if (url.origin !== origin) return url;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`the server answered ${answer.status}: ${await answer.text()}`);
    url = new URL(location, url);
  }
  throw new Error("the consent does not end");
}
