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
}
export const Provider: z.ZodType<Provider> = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    models: z.array(z.strictObject({ model: z.enum(MODEL_NAMES), scopes: z.array(z.string()) })),
    configured: z.boolean(),
    apiVersion: z.string(),
  })
  .meta({ id: "Provider" });

/** Body of `PUT /v1/providers/{provider}/app`: the workspace's own registration at the provider. */
export interface PutProviderApp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Only in `test` workspaces and only for origins that the operator allows: a sandbox, `{name}` filled from parameters. */
  readonly baseUrlOverride?: string | null | undefined;
}
export const PutProviderApp: z.ZodType<PutProviderApp> = z
  .strictObject({
    clientId: z.string().min(1).max(200),
    clientSecret: z.string().min(1).max(500),
    baseUrlOverride: z.string().max(500).nullable().optional(),
  })
  .meta({ id: "PutProviderApp" });

export interface ProviderApp {
  readonly id: string;
  readonly provider: string;
  readonly clientId: string;
  readonly baseUrlOverride: string | null;
  /** Register this at the provider. */
  readonly redirectUri: string;
}
export const ProviderApp: z.ZodType<ProviderApp> = z
  .strictObject({
    id: z.string(),
    provider: z.string(),
    clientId: z.string(),
    baseUrlOverride: z.string().nullable(),
    redirectUri: z.string(),
  })
  .meta({ id: "ProviderApp" });
