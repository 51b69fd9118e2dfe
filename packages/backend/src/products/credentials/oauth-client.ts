import type {
  ClientCredentialsAuth,
  ConnectionParams,
  Connector,
  JwtBearerAuth,
  OAuth2Auth,
  TokenAuth,
} from "../../connectors/kit/index.ts";
import type { AppKeys } from "../../domain/workspaces/index.ts";
import type { Secret } from "../../platform/runtime/index.ts";
import type { Fields } from "./token-pair.ts";

/** What OAuth needs of us; `front-channel.ts` and `token-endpoint.ts` are its two halves. */
export interface OAuthClient extends FrontChannel, TokenEndpoint {}

/** Through the browser: pure computation. */
export interface FrontChannel {
  start(
    at: OAuthParty<OAuth2Auth>,
    input: { readonly redirectUri: string; readonly scopes: readonly string[]; readonly stateHint: string },
  ): {
    readonly url: string;
    /** `stateHint` and 256 random bits. */
    readonly state: Secret;
    /** `null` where the provider takes no PKCE. */
    readonly pkceVerifier: Secret | null;
  };
}

/** From server to server. */
export interface TokenEndpoint {
  exchange(
    at: OAuthParty<OAuth2Auth>,
    input: {
      readonly redirectUri: string;
      /** The callback's query, its state already checked. */
      readonly query: URLSearchParams;
      readonly pkceVerifier: Secret | null;
      readonly deadlineMs: number;
    },
  ): Promise<TokenOutcome>;
  refresh(at: OAuthParty, input: { readonly refreshToken: Secret; readonly deadlineMs: number }): Promise<TokenOutcome>;
  derive(
    at: OAuthParty<ClientCredentialsAuth | JwtBearerAuth>,
    input: { readonly fields: Fields; readonly scopes: readonly string[]; readonly deadlineMs: number },
  ): Promise<TokenOutcome>;
  revoke(at: OAuthParty, about: AboutToken): Promise<Revocation>;
  introspect(at: OAuthParty, about: AboutToken): Promise<TokenActivity>;
}

export interface AboutToken {
  readonly token: Secret;
  readonly kind: "access_token" | "refresh_token";
  readonly deadlineMs: number;
}

/** `done`: also when the server does not know the token, or offers no revocation. `unavailable`: try again later. */
export type Revocation = "done" | "refused" | "unavailable";

/** `unknown`: the server did not tell. */
export type TokenActivity = "active" | "inactive" | "unknown";

/** A provider app and the account it speaks about. */
export interface OAuthParty<Auth extends TokenAuth = TokenAuth> {
  readonly connector: Connector;
  readonly auth: Auth;
  readonly params: ConnectionParams;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly keys: AppKeys;
  readonly baseUrlOverride: string | null;
  readonly mode: "live" | "test";
}

export interface TokenSet {
  readonly accessToken: Secret;
  readonly refreshToken: Secret | null;
  /** `null`: does not expire. */
  readonly expiresInSeconds: number | null;
  readonly refreshExpiresInSeconds: number | null;
  /** As the answer tells; providers leave implied ones out. */
  readonly scopes: readonly string[];
}

export type TokenOutcome = { readonly ok: true; readonly tokens: TokenSet } | (TokenProblem & { readonly ok: false });

export interface TokenProblem {
  /**
   * `refused`: this code or token is of no use any more. `misconfigured`: our client id, secret or key is not accepted
   * or missing. `unavailable`: trouble on the way; the same request may succeed later.
   */
  readonly problem: "refused" | "misconfigured" | "unavailable";
  /** The provider may have carried it out though we have no answer. */
  readonly lost: boolean;
  /** The provider asked for a pause; it did nothing. */
  readonly retryAfterMs?: number;
}
