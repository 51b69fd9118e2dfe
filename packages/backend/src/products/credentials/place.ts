import { placementsOf, type AuthMethod, type Placement } from "../../connectors/kit/index.ts";
import type { EgressRequest } from "../../platform/egress/index.ts";
import { Secret } from "../../platform/runtime/index.ts";

/** What opens an account: an access token, or what its owner handed over. */
export type Credential = { readonly token: Secret } | { readonly fields: Readonly<Record<string, Secret>> };

/**
 * A credential as a request carries it: in headers or in the TLS handshake, never in the URL.
 *
 * @param owner whose connections a client certificate may use, such as a grant's id
 */
export function placeCredential(
  method: AuthMethod,
  credential: Credential,
  owner: string,
): Pick<EgressRequest, "headers" | "clientCertificate"> {
  switch (method.kind) {
    case "oauth2":
    case "client_credentials":
    case "jwt_bearer": {
      if (!("token" in credential)) throw new Error(`${method.kind} without an access token`);
      const { name, prefix } = method.tokenHeader;
      return { headers: { [name]: prefix + credential.token.reveal() } };
    }
    case "api_key":
    case "basic":
    case "rotating_key":
    case "mtls": {
      if (!("fields" in credential)) throw new Error(`${method.kind} without its fields`);
      const { fields } = credential;
      const headers = Object.fromEntries(placementsOf(method).map((placement) => headerOf(placement, fields)));
      if (method.kind !== "mtls") return { headers };
      const privateKey = fields["privateKey"] ?? new Secret("");
      return { headers, clientCertificate: { owner, certificate: valueOf(fields, "certificate"), privateKey } };
    }
  }
}

function headerOf(placement: Placement, fields: Readonly<Record<string, Secret>>): readonly [string, string] {
  if (placement.kind === "header") return [placement.name, placement.prefix + valueOf(fields, placement.field)];
  const half = (name: string | null) => (name === null ? "" : valueOf(fields, name));
  const pair = `${half(placement.username)}:${half(placement.password)}`;
  return ["authorization", `Basic ${Buffer.from(pair).toString("base64")}`];
}

/** A field that was left out is sent empty. */
function valueOf(fields: Readonly<Record<string, Secret>>, name: string): string {
  return fields[name]?.reveal() ?? "";
}
