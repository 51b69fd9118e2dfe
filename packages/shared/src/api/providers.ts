import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";

/** A provider that this installation can connect. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly models: readonly { readonly model: ModelName; readonly scopes: readonly string[] }[];
  /** Whether this workspace has registered its app. */
  readonly configured: boolean;
  readonly apiVersion: string;
  /** Ways to connect an account; the first is the usual one. */
  readonly auth: readonly ProviderAuth[];
}

/** One way to connect an account. */
export interface ProviderAuth {
  /** What `method` names where credentials are handed over. */
  readonly method: string;
  readonly kind: (typeof AUTH_KINDS)[number];
  readonly name: string;
  /** What the account's owner hands over. Empty where a consent page does the work, or your own app speaks. */
  readonly fields: readonly CredentialFieldInfo[];
}

export interface CredentialFieldInfo {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  /** Show it as a password. */
  readonly secret: boolean;
  readonly multiline: boolean;
  readonly required: boolean;
  /** A good value begins with one of these; empty: with anything. */
  readonly prefixes: readonly string[];
  /** A regular expression of ECMAScript that the whole value matches. */
  readonly pattern: string;
}

export const AUTH_KINDS = [
  "oauth2",
  "client_credentials",
  "jwt_bearer",
  "api_key",
  "basic",
  "rotating_key",
  "mtls",
] as const;

export const Provider: z.ZodType<Provider> = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    models: z.array(z.strictObject({ model: z.enum(MODEL_NAMES), scopes: z.array(z.string()) })),
    configured: z.boolean(),
    apiVersion: z.string(),
    auth: z.array(
      z.strictObject({
        method: z.string(),
        kind: z.enum(AUTH_KINDS),
        name: z.string(),
        fields: z.array(
          z.strictObject({
            name: z.string(),
            label: z.string(),
            hint: z.string(),
            secret: z.boolean(),
            multiline: z.boolean(),
            required: z.boolean(),
            prefixes: z.array(z.string()),
            pattern: z.string(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: "Provider" });

/** Body of `PUT /v1/providers/{provider}/app`: the workspace's own registration at the provider. */
export interface PutProviderApp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** For providers that want mutual TLS of the app: PEM, the certificate with its chain. Left out: stays as it is. */
  readonly clientCertificate?: { readonly certificate: string; readonly privateKey: string } | null | undefined;
  /** Only in `test` workspaces and only for origins that the operator allows: a sandbox, `{name}` filled from parameters. */
  readonly baseUrlOverride?: string | null | undefined;
}
export const PutProviderApp: z.ZodType<PutProviderApp> = z
  .strictObject({
    clientId: z.string().min(1).max(200),
    clientSecret: z.string().min(1).max(500),
    clientCertificate: z
      .strictObject({ certificate: z.string().min(1).max(20_000), privateKey: z.string().min(1).max(20_000) })
      .nullable()
      .optional(),
    baseUrlOverride: z.string().max(500).nullable().optional(),
  })
  .meta({ id: "PutProviderApp" });

/** Body of `POST /v1/providers/{provider}/app/signing-keys`. */
export interface RotateSigningKey {
  readonly algorithm: (typeof SIGNING_KEY_ALGORITHMS)[number];
}
export const SIGNING_KEY_ALGORITHMS = ["ES256", "PS256", "RS256", "EdDSA"] as const;
export const RotateSigningKey: z.ZodType<RotateSigningKey> = z
  .strictObject({ algorithm: z.enum(SIGNING_KEY_ALGORITHMS) })
  .meta({ id: "RotateSigningKey" });

/** A new key that your app proves itself with at a provider (`private_key_jwt`). Its private half never leaves. */
export interface SigningKeyInfo {
  /** The `kid`. */
  readonly keyId: string;
  /** It is published at once and signs from then on: providers keep keys in a cache. */
  readonly usableFrom: string;
  /** Register this at the provider. */
  readonly jwksUri: string;
}
export const SigningKeyInfo: z.ZodType<SigningKeyInfo> = z
  .strictObject({ keyId: z.string(), usableFrom: z.iso.datetime(), jwksUri: z.string() })
  .meta({ id: "SigningKeyInfo" });

export interface ProviderApp {
  readonly id: string;
  readonly provider: string;
  readonly clientId: string;
  readonly baseUrlOverride: string | null;
  /** Register this at the provider. */
  readonly redirectUri: string;
  /** Until then what is signed with the former secret is taken too; `null`: there is none. */
  readonly previousSecretUntil: string | null;
  /** For topics that the provider posts to one address of the app; `null`: it has none. */
  readonly webhookAddress: AppWebhookAddress | null;
}

/** Where a provider posts what concerns the app as a whole. Enter it in the app's settings at the provider. */
export interface AppWebhookAddress {
  readonly url: string;
  /** As the provider names them. Topics of single accounts are subscribed to by Patchbay itself. */
  readonly topics: readonly string[];
}
export const ProviderApp: z.ZodType<ProviderApp> = z
  .strictObject({
    id: z.string(),
    provider: z.string(),
    clientId: z.string(),
    baseUrlOverride: z.string().nullable(),
    redirectUri: z.string(),
    previousSecretUntil: z.iso.datetime().nullable(),
    webhookAddress: z.strictObject({ url: z.string(), topics: z.array(z.string()) }).nullable(),
  })
  .meta({ id: "ProviderApp" });
