import { CodeChallengeMethod, OAuth2Client, generateCodeVerifier, generateState } from "arctic";
import { Secret } from "../../platform/runtime/index.ts";
import type { FrontChannel } from "./oauth-client.ts";
import { providerUrl } from "./provider-url.ts";

/** Authorization URLs, state and PKCE by arctic, which asks nothing of the network here. */
export const frontChannel: FrontChannel = {
  start(at, { redirectUri, scopes, stateHint }) {
    const { auth } = at;
    const client = new OAuth2Client(at.clientId, null, redirectUri);
    const endpoint = providerUrl(auth.authorizeUrl(at.params), at.baseUrlOverride, at.params);
    const state = stateHint + generateState();
    // arctic joins with spaces; where a provider wants commas there is one ready-made "scope".
    const parts = scopes.length === 0 ? [] : [scopes.join(auth.scopeSeparator)];
    if (!auth.pkce) {
      const url = client.createAuthorizationURL(endpoint, state, parts);
      return { url: url.href, state: new Secret(state), pkceVerifier: null };
    }
    const verifier = generateCodeVerifier();
    const url = client.createAuthorizationURLWithPKCE(endpoint, state, CodeChallengeMethod.S256, verifier, parts);
    return { url: url.href, state: new Secret(state), pkceVerifier: new Secret(verifier) };
  },
};
