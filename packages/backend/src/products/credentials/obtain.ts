import { AppError, type ModelName } from "@patchbay/shared";
import { scopesFor, type Connector, type DirectAuth } from "../../connectors/kit/index.ts";
import { checkCertificate } from "../../domain/workspaces/index.ts";
import type { CredentialsDeps } from "./deps.ts";
import type { OAuthParty, TokenOutcome } from "./oauth-client.ts";
import { parseFields } from "./parse-fields.ts";
import type { Credential } from "./place.ts";
import type { Fields, GrantSecret } from "./token-pair.ts";

/** Something that was handed over and that may open an account: not yet proved, not yet stored. */
export interface Obtained {
  readonly secret: GrantSecret;
  /** What the proving call carries. */
  readonly credential: Credential;
  /** As the token endpoint tells; empty where none was asked. */
  readonly scopes: readonly string[];
  /** Before anything was sent. */
  readonly issuedAt: Date;
  /** `null`: the key is not ours to replace. */
  readonly rotateAt: Date | null;
  readonly certificateEndsAt: Date | null;
}

/** A provider app without a method: which one speaks is settled by what was handed over. */
export type Speaker = Omit<OAuthParty, "auth" | "connector"> & { readonly connector: Connector };

const DEADLINE_MS = 10_000;
const DAY_MS = 86_400_000;

/**
 * Turns what a person handed over into a credential: as it is, or by asking the token endpoint with it.
 *
 * @throws AppError `invalid_credentials`, `provider_app_missing` when our own side lacks a key, `provider_unavailable`
 */
export async function obtain(
  deps: Pick<CredentialsDeps, "oauth" | "clock">,
  at: Speaker,
  method: DirectAuth,
  input: { readonly fields: Readonly<Record<string, string>>; readonly models: readonly ModelName[] },
): Promise<Obtained> {
  const fields = parseFields(method, input.fields);
  const issuedAt = deps.clock.now();
  const certificateEndsAt = method.kind === "mtls" ? checkCertificate(pemOf(fields), issuedAt) : null;
  switch (method.kind) {
    case "client_credentials":
    case "jwt_bearer": {
      const scopes = scopesFor(at.connector, input.models);
      const party = { ...at, auth: method };
      const outcome = await deps.oauth.derive(party, { fields, scopes, deadlineMs: DEADLINE_MS });
      return derived(fields, outcome, issuedAt, at.connector);
    }
    case "api_key":
    case "basic":
    case "rotating_key":
    case "mtls":
      return {
        secret: { kind: "fields", fields, rotation: null },
        credential: { fields },
        scopes: [],
        issuedAt,
        rotateAt: method.kind === "rotating_key" ? new Date(issuedAt.getTime() + method.periodDays * DAY_MS) : null,
        certificateEndsAt,
      };
  }
}

function pemOf(fields: Fields): { readonly certificate: string; readonly privateKey: string } {
  return { certificate: fields["certificate"]?.reveal() ?? "", privateKey: fields["privateKey"]?.reveal() ?? "" };
}

function derived(fields: Fields, outcome: TokenOutcome, issuedAt: Date, { name }: Connector): Obtained {
  if (!outcome.ok) throw errorOf(outcome.problem, name);
  const { accessToken, expiresInSeconds, scopes } = outcome.tokens;
  const accessExpiresAt = expiresInSeconds === null ? null : new Date(issuedAt.getTime() + expiresInSeconds * 1000);
  return {
    secret: { kind: "derived", fields, accessToken, accessExpiresAt },
    credential: { token: accessToken },
    scopes,
    issuedAt,
    rotateAt: null,
    certificateEndsAt: null,
  };
}

function errorOf(problem: (TokenOutcome & { readonly ok: false })["problem"], name: string): AppError {
  switch (problem) {
    case "refused":
      return new AppError("invalid_credentials", `${name} does not accept these credentials for this account`);
    case "misconfigured":
      return new AppError(
        "provider_app_missing",
        `${name} does not accept the workspace's app; check its secret or key`,
      );
    case "unavailable":
      return new AppError("provider_unavailable", `${name} could not be asked; try again`);
  }
}
