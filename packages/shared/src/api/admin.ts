import { z } from "zod";
import { ReturnUrl } from "./return-url.ts";

export const SCOPES = [
  "tenants:read",
  "tenants:write",
  "tenants:erase",
  "connections:read",
  "connections:write",
  "credentials:export",
  "runs:read",
  "runs:write",
  "records:read",
  "events:read",
  "endpoints:read",
  "endpoints:write",
  "inbox:read",
  "inbox:raw",
  "inbox:write",
  "providers:read",
  "providers:write",
  "api_keys:read",
  "api_keys:write",
  "audit:read",
] as const;
/** What an API key may do. */
export type Scope = (typeof SCOPES)[number];

/**
 * Scopes that a key has only when they were named: they lead to other keys, to credentials or to people's data as a
 * provider sent it, tell of them, or cannot be undone.
 */
export const EXPLICIT_SCOPES = [
  "tenants:erase",
  "credentials:export",
  "inbox:raw",
  "api_keys:read",
  "api_keys:write",
  "audit:read",
] as const satisfies readonly Scope[];
/** What a key may do when nobody said. */
export const DEFAULT_SCOPES: readonly Scope[] = SCOPES.filter(
  (scope) => !EXPLICIT_SCOPES.some((each) => each === scope),
);

/** Names for what keys are mostly made for. */
export const ROLES = ["readOnly", "backend", "admin"] as const;
/** `backend`: {@link DEFAULT_SCOPES}. `readOnly`: what of these only reads. `admin`: everything, what must be named too. */
export type Role = (typeof ROLES)[number];
export const SCOPES_OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = {
  readOnly: DEFAULT_SCOPES.filter((scope) => scope.endsWith(":read")),
  backend: DEFAULT_SCOPES,
  admin: SCOPES,
};

/** One SaaS product's environment. */
export interface Workspace {
  /** `ws_…` */
  readonly id: string;
  /** Shown to end customers as the host's name. */
  readonly name: string;
  readonly mode: "live" | "test";
  /** Exact URLs that redirect mode may return to. */
  readonly returnUrls: readonly string[];
  readonly createdAt: string;
}
export const Workspace: z.ZodType<Workspace> = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    mode: z.enum(["live", "test"]),
    returnUrls: z.array(z.string()),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Workspace" });

export interface CreateWorkspace {
  readonly name: string;
  readonly mode: "live" | "test";
  readonly returnUrls?: readonly string[] | undefined;
}
export const CreateWorkspace: z.ZodType<CreateWorkspace> = z
  .strictObject({
    name: z.string().min(1).max(100),
    mode: z.enum(["live", "test"]),
    returnUrls: z.array(ReturnUrl).max(20).optional(),
  })
  .meta({ id: "CreateWorkspace" });

export interface CreateApiKey {
  readonly name: string;
  /** Default: all but {@link EXPLICIT_SCOPES}, as far as the key that makes it has them. */
  readonly scopes?: readonly Scope[] | undefined;
  /** The scopes of a role, in place of `scopes`. */
  readonly role?: Role | undefined;
  /** Addresses and networks that it may be used from, at most 50: `203.0.113.7`, `10.0.0.0/8`. Default: anywhere. */
  readonly allowedNetworks?: readonly string[] | undefined;
  readonly expiresAt?: string | undefined;
}
const network = z
  .string()
  .max(50)
  .regex(/^[0-9a-f.:]{2,45}(?:\/\d{1,3})?$/i, "an address or a network such as 10.0.0.0/8");
export const CreateApiKey: z.ZodType<CreateApiKey> = z
  .strictObject({
    name: z.string().min(1).max(100),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).optional(),
    role: z.enum(ROLES).optional(),
    allowedNetworks: z.array(network).max(50).optional(),
    expiresAt: z.iso.datetime().optional(),
  })
  .refine(({ scopes, role }) => scopes === undefined || role === undefined, "give scopes or a role, not both")
  .meta({ id: "CreateApiKey" });

export interface RotateApiKey {
  /** How long the former secret stays good; 0 ends it at once. Default: 24. */
  readonly overlapHours?: number | undefined;
}
export const RotateApiKey: z.ZodType<RotateApiKey> = z
  .strictObject({ overlapHours: z.number().min(0).max(720).optional() })
  .meta({ id: "RotateApiKey" });

/** A key for a workspace's backend, without its secret. */
export interface ApiKey {
  /** `key_…` */
  readonly id: string;
  readonly name: string;
  /** Characters 35 to 46 of the key, to tell keys apart. */
  readonly publicId: string;
  readonly scopes: readonly Scope[];
  /** Empty: anywhere. */
  readonly allowedNetworks: readonly string[];
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  /** To the minute. */
  readonly lastUsedAt: string | null;
  /** Until then the secret before the last rotation is good, too. */
  readonly previousSecretUntil: string | null;
  readonly createdAt: string;
}
const apiKey = {
  id: z.string(),
  name: z.string(),
  publicId: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  allowedNetworks: z.array(z.string()),
  expiresAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
  previousSecretUntil: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
};
export const ApiKey: z.ZodType<ApiKey> = z.strictObject(apiKey).meta({ id: "ApiKey" });

/** `secret` is shown once. */
export interface ApiKeyWithSecret extends ApiKey {
  /** `pb_live_…` or `pb_test_…` */
  readonly secret: string;
}
export const ApiKeyWithSecret: z.ZodType<ApiKeyWithSecret> = z
  .strictObject({ ...apiKey, secret: z.string() })
  .meta({ id: "ApiKeyWithSecret" });
