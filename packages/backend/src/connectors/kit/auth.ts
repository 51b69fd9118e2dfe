/** How an account lets us in: data that one engine carries out. See `README.md` for how to declare each kind. */
import type { ModelName } from "@patchbay/shared";
import type { ConnectionParams, ProviderRequest, ProviderResponse } from "./connector.ts";

/** One way in. Closed: the engine, the API and the conformance suite know each kind. */
export type AuthMethod =
  | OAuth2Auth
  | ClientCredentialsAuth
  | JwtBearerAuth
  | ApiKeyAuth
  | BasicAuth
  | RotatingKeyAuth
  | MtlsAuth;

export type AuthKind = AuthMethod["kind"];

/** Methods whose credential a person hands over, rather than consents to in a browser. */
export type DirectAuth = Exclude<AuthMethod, OAuth2Auth>;

/** Methods that end with an access token from a token endpoint. */
export type TokenAuth = OAuth2Auth | ClientCredentialsAuth | JwtBearerAuth;

/** What a provider calls its rights, and which of them a model needs. */
export interface Scopes {
  /** Scopes that reading a model needs. */
  readonly byModel: Readonly<Partial<Record<ModelName, readonly string[]>>>;
  /** Whether `granted` covers `needed`, by the provider's own implications (`write_x` includes `read_x`). */
  covers(granted: readonly string[], needed: string): boolean;
}

interface Method {
  /** Unique in the connector and kept in rows: never renamed. The OAuth method is always `oauth2`. */
  readonly id: string;
  /** What a person chooses by, such as "Custom app token". */
  readonly name: string;
}

/** A header that carries one value: `name: prefix + value`. */
export interface HeaderPlacement {
  /** Lower-case. */
  readonly name: string;
  readonly prefix: string;
}

/** Where a request carries a field. There is no placement in the URL: URLs are logged on their way. */
export type Placement =
  | ({ readonly kind: "header"; readonly field: string } & HeaderPlacement)
  /** HTTP Basic; `null`: that half is empty. */
  | { readonly kind: "basic"; readonly username: string | null; readonly password: string | null };

/** One thing that a person hands over. */
export interface CredentialField {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  /** Sealed and never shown again. `false`: also sealed, but may be typed in the open, such as a user name. */
  readonly secret: boolean;
  /** What a good value begins with, any of them; tells a key in the wrong field apart. Empty: anything. */
  readonly prefixes: readonly string[];
  /** Anchored; checked before anything is sent. */
  readonly pattern: RegExp;
  readonly multiline: boolean;
  readonly required: boolean;
}

/** How we prove at a token endpoint which app is asking. */
export type ClientAuthentication =
  | { readonly kind: "client_secret_post" }
  | { readonly kind: "client_secret_basic" }
  /** RFC 7523: signed with the provider app's own key, whose public half we serve as JWKS. */
  | {
      readonly kind: "private_key_jwt";
      readonly algorithm: SigningAlgorithm;
      /** `token_endpoint` only where the provider insists. */
      readonly audience: "issuer" | "token_endpoint";
    }
  /** RFC 8705: the provider app's client certificate. */
  | { readonly kind: "tls_client_auth" }
  /** The grant itself proves enough, as an assertion does. */
  | { readonly kind: "none" };

/** Asymmetric only. `none` and shared secrets are not among them. */
export const SIGNING_ALGORITHMS = ["ES256", "PS256", "RS256", "EdDSA"] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

interface TokenMethod extends Method {
  tokenUrl(params: ConnectionParams): string;
  /** Identifier of the authorization server; `null`: the origin of its token endpoint. */
  readonly issuer: ((params: ConnectionParams) => string) | null;
  readonly clientAuthentication: ClientAuthentication;
  readonly tokenRequestFormat: "form" | "json";
  readonly scopeSeparator: " " | ",";
  /** Header that carries the access token. */
  readonly tokenHeader: HeaderPlacement;
  /** Used when the answer has no `expires_in`; `null`: treat as never expiring. */
  readonly defaultLifetimeSeconds: number | null;
  /** RFC 7009; `null`: the provider offers none. */
  readonly revocationUrl: ((params: ConnectionParams) => string) | null;
  /** RFC 7662, asked only for tokens without a known end; `null`: the provider offers none. */
  readonly introspectionUrl: ((params: ConnectionParams) => string) | null;
}

/** Authorization code, with PKCE wherever the provider takes it. */
export interface OAuth2Auth extends TokenMethod {
  readonly kind: "oauth2";
  readonly id: "oauth2";
  authorizeUrl(params: ConnectionParams): string;
  readonly pkce: boolean;
  /** The provider promises `iss` in its callbacks (RFC 9207): one without it is refused. A wrong one always is. */
  readonly requiresIss: boolean;
  /** Sent with the code exchange, such as `{expiring: "1"}`. */
  readonly exchangeParameters: Readonly<Record<string, string>>;
  readonly refresh: RefreshPolicy;
  /** Extra checks of the callback's query, such as Shopify's HMAC. `null` when all is well, else what is wrong. */
  verifyCallback(input: {
    readonly query: URLSearchParams;
    readonly params: ConnectionParams;
    readonly clientSecret: string;
    readonly now: Date;
  }): CallbackProblem | null;
}
export type CallbackProblem = "bad_hmac" | "stale_timestamp" | "wrong_account";

/** `rotating`: every refresh gives a new refresh token. */
export type RefreshPolicy =
  | { readonly kind: "none" }
  | { readonly kind: "stable" }
  | { readonly kind: "rotating"; readonly oldTokenWorks: "until_replaced" | "never"; readonly idleDays: number };

/** RFC 6749 4.4: a token for the app itself; asked for again when it ends. */
export interface ClientCredentialsAuth extends TokenMethod {
  readonly kind: "client_credentials";
  /** `connection`: the account's owner hands over `clientId` and `clientSecret`, which must be among the fields. */
  readonly client: "provider_app" | "connection";
  /** The request names the scopes that the models need; `false`: the client's registration settles them. */
  readonly sendsScopes: boolean;
  readonly fields: readonly CredentialField[];
  /** Sent with the request, such as an audience. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** RFC 7523 2.1: a token for an assertion that the account's owner gave us the key for. */
export interface JwtBearerAuth extends TokenMethod {
  readonly kind: "jwt_bearer";
  readonly fields: readonly CredentialField[];
  readonly algorithm: SigningAlgorithm;
  /** Field with the PKCS #8 key in PEM; `provider_app`: the app's own signing key. */
  readonly signingKey: { readonly field: string } | "provider_app";
  /** As for client credentials. An assertion may carry them instead. */
  readonly sendsScopes: boolean;
  /** At most 300. */
  readonly lifetimeSeconds: number;
  /** What is asserted, besides `iat`, `exp` and `jti`. */
  assertion(input: {
    /** Fields that are no secrets. */
    readonly fields: Readonly<Record<string, string>>;
    readonly params: ConnectionParams;
    readonly clientId: string;
    readonly scopes: readonly string[];
  }): {
    readonly issuer: string;
    readonly subject: string;
    readonly audience: string;
    readonly keyId: string | null;
    readonly claims: Readonly<Record<string, string>>;
  };
}

/** A key or personal token that a person pastes. */
export interface ApiKeyAuth extends Method {
  readonly kind: "api_key";
  readonly fields: readonly CredentialField[];
  readonly place: readonly Placement[];
}

/** User name and password of HTTP Basic. */
export interface BasicAuth extends Method {
  readonly kind: "basic";
  /** Named `username` and `password`. */
  readonly fields: readonly CredentialField[];
}

/** A key that we ourselves replace: the new one proves itself before the old one is revoked. */
export interface RotatingKeyAuth extends Method {
  readonly kind: "rotating_key";
  readonly fields: readonly CredentialField[];
  readonly place: readonly Placement[];
  readonly periodDays: number;
  /** @param attempt the same for a repeated try, for providers that de-duplicate or label keys */
  create(attempt: string): ProviderRequest;
  /** Values of the fields that change; `null`: not understood. */
  parseCreated(response: ProviderResponse): Readonly<Record<string, string>> | null;
  /** Sent with the new key. @param fields of the key that goes */
  revoke(fields: Readonly<Record<string, string>>): ProviderRequest;
}

/** A client certificate of the connection's own, in every TLS handshake. */
export interface MtlsAuth extends Method {
  readonly kind: "mtls";
  /** With `certificate` and `privateKey`, both PEM. */
  readonly fields: readonly CredentialField[];
  /** What else requests carry. */
  readonly place: readonly Placement[];
}
