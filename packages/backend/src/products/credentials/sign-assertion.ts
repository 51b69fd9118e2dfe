import { SignJWT, importPKCS8 } from "jose";
import { randomToken } from "../../platform/runtime/index.ts";
import { fieldsOf, type JwtBearerAuth } from "../../connectors/kit/index.ts";
import { NotSetUp } from "./client-authentication.ts";
import type { OAuthParty } from "./oauth-client.ts";
import type { Fields } from "./token-pair.ts";

/** Above what any provider needs; the connector's own figure is lower. */
const LIFETIME_SECONDS_MAX = 300;
const ID_BYTES = 16;

/** Our assertion is not signable: the key that was handed over cannot be read. */
export class BadKey extends Error {
  override readonly name = "BadKey";
}

/** The assertion of RFC 7523 that a token is asked for with. @throws BadKey, NotSetUp */
export async function signAssertion(
  at: OAuthParty<JwtBearerAuth>,
  input: { readonly fields: Fields; readonly scopes: readonly string[]; readonly now: Date },
): Promise<string> {
  const { auth } = at;
  const declared = auth.assertion({
    fields: openFields(auth, input.fields),
    params: at.params,
    clientId: at.clientId,
    scopes: input.scopes,
  });
  const key = await signingKey(at, input.fields);
  const issuedAt = Math.floor(input.now.getTime() / 1000);
  const keyId = declared.keyId ?? key.keyId;
  return new SignJWT({ ...declared.claims })
    .setProtectedHeader({ alg: auth.algorithm, typ: "JWT", ...(keyId === null ? {} : { kid: keyId }) })
    .setIssuer(declared.issuer)
    .setSubject(declared.subject)
    .setAudience(declared.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.min(auth.lifetimeSeconds, LIFETIME_SECONDS_MAX))
    .setJti(randomToken(ID_BYTES))
    .sign(key.key);
}

/** What the connector may see of the fields: none of the secrets. */
function openFields(auth: JwtBearerAuth, fields: Fields): Readonly<Record<string, string>> {
  const open = fieldsOf(auth).filter((field) => !field.secret);
  return Object.fromEntries(open.map(({ name }) => [name, fields[name]?.reveal() ?? ""]));
}

async function signingKey(
  at: OAuthParty<JwtBearerAuth>,
  fields: Fields,
): Promise<{ readonly key: CryptoKey; readonly keyId: string | null }> {
  const { algorithm, signingKey: source } = at.auth;
  if (source === "provider_app") {
    const { signing } = at.keys;
    if (signing?.algorithm !== algorithm) throw new NotSetUp("the provider app has no signing key for this algorithm");
    return { key: await importPKCS8(signing.privateKey.reveal(), algorithm), keyId: signing.keyId };
  }
  try {
    return { key: await importPKCS8(fields[source.field]?.reveal() ?? "", algorithm), keyId: null };
  } catch {
    // Its message may quote the key.
    throw new BadKey("the private key is no PKCS #8 key of the right kind");
  }
}
