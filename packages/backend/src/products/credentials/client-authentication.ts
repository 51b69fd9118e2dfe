import { importPKCS8 } from "jose";
import * as oauth from "oauth4webapi";
import type { ClientCertificate } from "../../platform/egress/index.ts";
import type { OAuthParty } from "./oauth-client.ts";

/** An assertion's life; the standard asks for a short one. */
const ASSERTION_SECONDS = 60;

/** Our side is not set up for what the provider wants: the operator must act, not the provider. */
export class NotSetUp extends Error {
  override readonly name = "NotSetUp";
}

export interface ClientProof {
  readonly authentication: oauth.ClientAuth;
  /** Shown in the TLS handshake. */
  readonly certificate: ClientCertificate | null;
}

/**
 * How a party proves at `endpoint` that it is the client.
 *
 * @throws NotSetUp when the provider app lacks the key or certificate for it
 */
export async function clientProof(at: OAuthParty, endpoint: string): Promise<ClientProof> {
  const secret = at.clientSecret.reveal();
  const wanted = at.auth.clientAuthentication;
  switch (wanted.kind) {
    case "client_secret_post":
      return { authentication: oauth.ClientSecretPost(secret), certificate: null };
    case "client_secret_basic":
      return { authentication: oauth.ClientSecretBasic(secret), certificate: null };
    case "tls_client_auth":
      if (at.keys.certificate === null) throw new NotSetUp("the provider app has no client certificate");
      return { authentication: oauth.TlsClientAuth(), certificate: at.keys.certificate };
    case "private_key_jwt": {
      const { signing } = at.keys;
      if (signing === null) throw new NotSetUp("the provider app has no signing key");
      // The key decides the algorithm; one made for another is not bent to the declared one.
      if (signing.algorithm !== wanted.algorithm) throw new NotSetUp("the signing key is for another algorithm");
      const key = await importPKCS8(signing.privateKey.reveal(), signing.algorithm);
      return { authentication: signed(key, signing.keyId, wanted.audience, endpoint), certificate: null };
    }
    case "none":
      return { authentication: oauth.None(), certificate: null };
  }
}

function signed(
  key: CryptoKey,
  keyId: string,
  audience: "issuer" | "token_endpoint",
  endpoint: string,
): oauth.ClientAuth {
  return oauth.PrivateKeyJwt(
    { key, kid: keyId },
    {
      [oauth.modifyAssertion](_header, payload) {
        if (audience === "token_endpoint") payload["aud"] = endpoint;
        payload["exp"] = Number(payload["iat"]) + ASSERTION_SECONDS;
      },
    },
  );
}
