/**
 * Moving connections in from another system, and out to one.
 *
 * @module
 */
import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";
import { tenantId } from "./tenants.ts";

/** Tokens that another system got for the workspace's own provider app. */
export interface ImportedTokens {
  /** Leave it out when it has expired; then `refreshToken` is used at once. */
  readonly accessToken?: string | undefined;
  readonly refreshToken?: string | undefined;
  /** When the access token ends. Left out: soon, so that it is refreshed within minutes where that is possible. */
  readonly expiresAt?: string | undefined;
  /** When the refresh token ends; left out: as the provider tells with the first refresh. */
  readonly refreshExpiresAt?: string | undefined;
}

/** Body of `POST /v1/connections/import`: `tokens` for the method `oauth2`, `fields` for the others. */
export interface ImportConnection {
  readonly tenantId: string;
  readonly provider: string;
  /** Id of one of the provider's auth methods. Default: `oauth2`. */
  readonly method?: string | undefined;
  readonly tokens?: ImportedTokens | undefined;
  /** By the names that the method declares. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
  /** Such as `{shop: "acme-goods"}`. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** Default: all that the provider has. */
  readonly models?: readonly ModelName[] | undefined;
  /** Refuses credentials that open another account. */
  readonly providerAccountId?: string | undefined;
}

const token = z.string().min(1).max(8_192);

export const ImportConnection: z.ZodType<ImportConnection> = z
  .strictObject({
    tenantId,
    provider: z.string().max(40),
    method: z.string().min(1).max(40).optional(),
    tokens: z
      .strictObject({
        accessToken: token.optional(),
        refreshToken: token.optional(),
        expiresAt: z.iso.datetime().optional(),
        refreshExpiresAt: z.iso.datetime().optional(),
      })
      .refine((given) => given.accessToken !== undefined || given.refreshToken !== undefined, {
        message: "give an accessToken, a refreshToken, or both",
      })
      .optional(),
    fields: z.record(z.string().max(40), z.string().max(20_000)).optional(),
    parameters: z.record(z.string().max(40), z.string().max(300)).optional(),
    models: z.array(z.enum(MODEL_NAMES)).min(1).max(MODEL_NAMES.length).optional(),
    providerAccountId: z.string().min(1).max(200).optional(),
  })
  .refine((given) => (given.method ?? "oauth2") !== "oauth2" || (given.tokens && !given.fields), {
    message: "the method oauth2 takes tokens, and no fields",
    path: ["tokens"],
  })
  .refine((given) => (given.method ?? "oauth2") === "oauth2" || (given.fields && !given.tokens), {
    message: "this method takes fields, and no tokens",
    path: ["fields"],
  })
  .meta({ id: "ImportConnection" });

/**
 * A public key as JSON Web Key: RSA of at least 2048 bits, or EC on P-256, P-384 or P-521. Members that are not named
 * here are ignored; a key with private members is refused.
 */
export interface RecipientKey {
  readonly kty: "RSA" | "EC";
  /** Named in the answer's header. */
  readonly kid?: string | undefined;
  readonly n?: string | undefined;
  readonly e?: string | undefined;
  readonly crv?: string | undefined;
  readonly x?: string | undefined;
  readonly y?: string | undefined;
  readonly [member: string]: unknown;
}

/** Body of `POST /v1/connections/{id}/export`. */
export interface ExportConnection {
  readonly publicKey: RecipientKey;
  /**
   * The credentials become the host's alone: the connection is paused (`statusReason` `handed_over`), we refresh them
   * no more, and disconnecting it later leaves them untouched at the provider. Resuming takes them back. Default: false.
   */
  readonly handOver?: boolean | undefined;
}

const member = z.string().max(4_096);

export const ExportConnection: z.ZodType<ExportConnection> = z
  .strictObject({
    publicKey: z.looseObject(
      {
        kty: z.enum(["RSA", "EC"], { error: 'must be "RSA" or "EC": nothing is encrypted to other keys' }),
        kid: z.string().max(200).optional(),
        n: member.optional(),
        e: member.optional(),
        crv: member.optional(),
        x: member.optional(),
        y: member.optional(),
      },
      { error: "must be a JSON Web Key, an object with kty; a PEM is none: key.export({ format: 'jwk' }) makes one" },
    ),
    handOver: z.boolean().optional(),
  })
  .meta({ id: "ExportConnection" });

/** Only who holds the private key can read it. */
export interface ExportedConnection {
  readonly connectionId: string;
  /** Compact JWE (RFC 7516): RSA-OAEP-256 or ECDH-ES+A256KW, with A256GCM. Its content is {@link ExportedCredentials}. */
  readonly jwe: string;
  readonly handedOver: boolean;
  readonly exportedAt: string;
}
export const ExportedConnection: z.ZodType<ExportedConnection> = z
  .strictObject({ connectionId: z.string(), jwe: z.string(), handedOver: z.boolean(), exportedAt: z.iso.datetime() })
  .meta({ id: "ExportedConnection" });

/** What is inside the JWE, as JSON. `credentials` has the shape that {@link ImportConnection} takes. */
export interface ExportedCredentials {
  readonly version: 1;
  readonly connectionId: string;
  readonly tenantId: string;
  readonly provider: string;
  readonly providerAccountId: string;
  readonly mode: "live" | "test";
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly models: readonly ModelName[];
  readonly scopes: readonly string[];
  readonly credentials: { readonly tokens: ImportedTokens } | { readonly fields: Readonly<Record<string, string>> };
  readonly exportedAt: string;
}
