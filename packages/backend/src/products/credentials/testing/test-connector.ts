import { z } from "zod";
import type {
  AuthMethod,
  BasicAuth,
  ClientCredentialsAuth,
  JwtBearerAuth,
  MtlsAuth,
  Connector,
  CredentialField,
  OAuth2Auth,
  ProviderResponse,
} from "../../../connectors/kit/index.ts";
import { shopify } from "../../../connectors/shopify/index.ts";

/** What its one model needs. */
export const SCOPE = "api:read";

/** Stands for wherever the test's server listens: `baseUrlOverride` takes its place. */
const HOME = "https://as.example";
const BEARER = { name: "authorization", prefix: "Bearer " } as const;

const endpoints = {
  tokenUrl: () => `${HOME}/token`,
  issuer: () => HOME,
  revocationUrl: () => `${HOME}/token/revocation`,
  introspectionUrl: () => `${HOME}/token/introspection`,
  tokenRequestFormat: "form",
  scopeSeparator: " ",
  tokenHeader: BEARER,
  clientAuthentication: { kind: "client_secret_basic" },
  defaultLifetimeSeconds: null,
} as const;

export const TEST_OAUTH2: OAuth2Auth = {
  ...endpoints,
  kind: "oauth2",
  id: "oauth2",
  name: "Test",
  authorizeUrl: () => `${HOME}/auth`,
  pkce: true,
  requiresIss: true,
  exchangeParameters: {},
  refresh: { kind: "rotating", oldTokenWorks: "never", idleDays: 14 },
  verifyCallback: () => null,
};

export const TEST_CLIENT_CREDENTIALS: ClientCredentialsAuth = {
  ...endpoints,
  kind: "client_credentials",
  id: "client_credentials",
  name: "Client credentials",
  client: "provider_app",
  sendsScopes: true,
  fields: [],
  parameters: {},
};

/** An assertion by a key that the account's owner hands over, about an account that the owner names. */
export const TEST_JWT_BEARER: JwtBearerAuth = {
  ...endpoints,
  kind: "jwt_bearer",
  id: "jwt_bearer",
  name: "Service account",
  clientAuthentication: { kind: "none" },
  sendsScopes: true,
  fields: [aField("account", { secret: false, multiline: false }), aField("privateKey")],
  algorithm: "ES256",
  signingKey: { field: "privateKey" },
  lifetimeSeconds: 60,
  assertion: ({ fields: { account = "" } }) => ({
    issuer: account,
    subject: account,
    audience: HOME,
    keyId: null,
    claims: {},
  }),
};

export const TEST_BASIC: BasicAuth = {
  kind: "basic",
  id: "basic",
  name: "User name and password",
  fields: [aField("username", { secret: false, multiline: false }), aField("password", { multiline: false })],
};

/** A client certificate of the connection's own, and nothing else. */
export const TEST_MTLS: MtlsAuth = {
  kind: "mtls",
  id: "mtls",
  name: "Client certificate",
  fields: [aField("certificate", { secret: false }), aField("privateKey")],
  place: [],
};

export function aField(name: string, changes: Partial<CredentialField> = {}): CredentialField {
  return {
    name,
    label: name,
    hint: `the ${name}`,
    secret: true,
    prefixes: [],
    pattern: /^[^]{1,20000}$/,
    multiline: true,
    required: true,
    ...changes,
  };
}

/** A provider that is nothing but its auth: one account, one model to read. */
export function testConnector(id: string, auth: readonly AuthMethod[], changes: Partial<Connector> = {}): Connector {
  const { shop } = shopify.resources;
  return {
    ...shopify,
    id,
    name: id,
    api: { ...shopify.api, baseUrl: () => `${HOME}/api`, versionHeader: null },
    parameters: [],
    auth,
    scopes: { byModel: { account: [SCOPE] }, covers: (granted, needed) => granted.includes(needed) },
    identity: {
      request: () => ({ method: "GET", path: "/me", idempotent: true, cost: 1 }),
      parse(response: ProviderResponse) {
        const { account, scope } = Me.parse(response.body);
        const grantedScopes = scope.split(" ");
        return { accountId: account, name: account, url: null, testMode: true, grantedScopes, aliases: [] };
      },
    },
    limits: [],
    resources: { shop },
    webhooks: null,
    disconnect: null,
    classify: () => null,
    observe: () => null,
    ...changes,
  };
}

const Me = z.object({ account: z.string(), scope: z.string() });
