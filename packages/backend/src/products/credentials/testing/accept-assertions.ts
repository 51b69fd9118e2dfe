import { decodeJwt, importJWK, jwtVerify, type JWK } from "jose";
import { errors, type default as Provider } from "oidc-provider";
import { SCOPE } from "./test-connector.ts";

export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const TOKEN_SECONDS = 600;

/**
 * Adds the grant of RFC 7523 to an authorization server: signature, issuer, subject, audience, life and `jti` are
 * checked, and no assertion is taken twice.
 *
 * @param keyOf the public key of an issuer, asked for each assertion
 */
export function acceptAssertions(
  provider: Provider,
  { audience, keyOf }: { readonly audience: string; readonly keyOf: (issuer: string) => Promise<JWK | undefined> },
): void {
  provider.registerGrantType(
    JWT_BEARER,
    async (context) => {
      const { client, params } = context.oidc;
      if (client === undefined) throw new errors.InvalidClient("no client");
      const { iss, sub, jti, exp } = await verified(String(params?.["assertion"]), audience, keyOf);
      if (!(await provider.ReplayDetection.unique(iss, jti, exp))) throw new errors.InvalidGrant("used before");
      const token = new provider.AccessToken({
        accountId: sub,
        client,
        grantId: jti,
        gty: JWT_BEARER,
        scope: SCOPE,
        expiresWithSession: false,
        expiresIn: TOKEN_SECONDS,
      });
      context.body = {
        access_token: await token.save(),
        token_type: "Bearer",
        expires_in: TOKEN_SECONDS,
        scope: SCOPE,
      };
    },
    ["assertion", "scope"],
  );
}

async function verified(
  assertion: string,
  audience: string,
  keyOf: (issuer: string) => Promise<JWK | undefined>,
): Promise<{ readonly iss: string; readonly sub: string; readonly jti: string; readonly exp: number }> {
  try {
    const jwk = await keyOf(decodeJwt(assertion).iss ?? "");
    if (jwk === undefined) throw new Error("an issuer that nobody knows");
    const { payload } = await jwtVerify(assertion, await importJWK(jwk, "ES256"), {
      algorithms: ["ES256"],
      audience,
      requiredClaims: ["iss", "sub", "exp", "jti"],
    });
    const { iss = "", sub = "", jti = "", exp = 0 } = payload;
    return { iss, sub, jti, exp };
  } catch (cause) {
    throw Object.assign(new errors.InvalidGrant("the assertion is not good"), { cause });
  }
}
