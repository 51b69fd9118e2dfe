import { z } from "zod";
import { ReturnUrl } from "./return-url.ts";

export const SCOPES = [
  "tenants:read",
  "tenants:write",
  "tenants:erase",
  "connections:read",
  "connections:write",
  "runs:read",
  "runs:write",
  "records:read",
  "events:read",
  "endpoints:read",
  "endpoints:write",
  "inbox:read",
  "providers:read",
  "providers:write",
  "api_keys:read",
  "api_keys:write",
  "audit:read",
] as const;
/** What an API key may do. */
export type Scope = (typeof SCOPES)[number];

/** Scopes that a key has only when they were named: they lead to other keys, tell of them, or cannot be undone. */
export const EXPLICIT_SCOPES = [
  "tenants:erase",
  "api_keys:read",
  "api_keys:write",
  "audit:read",
] as const satisfies readonly Scope[];
/** What a key may do when nobody said. */
export const DEFAULT_SCOPES: readonly Scope[] = SCOPES.filter(
  (scope) => !EXPLICIT_SCOPES.some((each) => each === scope),
);

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
  /** Default: all but {@link EXPLICIT_SCOPES}. */
  readonly scopes?: readonly Scope[] | undefined;
  readonly expiresAt?: string | undefined;
}
export const CreateApiKey: z.ZodType<CreateApiKey> = z
  .strictObject({
    name: z.string().min(1).max(100),
    scopes: z.array(z.enum(SCOPES)).min(1).optional(),
    expiresAt: z.iso.datetime().optional(),
  })
  .meta({ id: "CreateApiKey" });

/** `secret` is shown once. */
export interface ApiKeyWithSecret {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: string | null;
  readonly createdAt: string;
  /** `pb_live_…` or `pb_test_…` */
  readonly secret: string;
}
export const ApiKeyWithSecret: z.ZodType<ApiKeyWithSecret> = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    expiresAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    secret: z.string(),
  })
  .meta({ id: "ApiKeyWithSecret" });
