import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";
import { tenantId } from "./tenants.ts";
import { ReturnUrl } from "./return-url.ts";

export const PERMISSIONS = ["connect", "reauthorize", "disconnect", "pause", "sync"] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Body of `POST /v1/connect-sessions`: what one browser may do for one tenant. */
export interface CreateConnectSession {
  readonly tenantId: string;
  /** The person in the browser, named by the host; shown on confirm screens. */
  readonly endUser: { readonly id: string; readonly label?: string | undefined; readonly email?: string | undefined };
  /** Providers offered; default: all that the workspace has an app for. */
  readonly providers?: readonly string[] | undefined;
  /** Models to read; decides the scopes asked for. Default: all that the provider has. */
  readonly models?: readonly ModelName[] | undefined;
  /** Origins of the pages that will show the widget, such as `https://app.example.com`; at most 10, exact. */
  readonly allowedOrigins: readonly string[];
  /** Default: all. */
  readonly permissions?: readonly Permission[] | undefined;
  /** Limits manage and reauthorize to these connections (`conn_…`). */
  readonly connectionIds?: readonly string[] | undefined;
  /** One of the workspace's registered return URLs, for redirect mode. */
  readonly returnUrl?: string | undefined;
  readonly locale?: string | undefined;
  /** 60–900 seconds; default 900. */
  readonly expiresInSeconds?: number | undefined;
}

const origin = z.string().regex(/^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/, "an origin such as https://app.example.com");

export const CreateConnectSession: z.ZodType<CreateConnectSession> = z
  .strictObject({
    tenantId,
    endUser: z.strictObject({
      id: z.string().min(1).max(128),
      label: z.string().max(200).optional(),
      email: z.email().max(254).optional(),
    }),
    providers: z.array(z.string().max(40)).max(50).optional(),
    models: z.array(z.enum(MODEL_NAMES)).min(1).max(MODEL_NAMES.length).optional(),
    allowedOrigins: z.array(origin).min(1).max(10),
    permissions: z.array(z.enum(PERMISSIONS)).max(PERMISSIONS.length).optional(),
    connectionIds: z.array(z.string()).max(100).optional(),
    returnUrl: ReturnUrl.optional(),
    locale: z.string().max(35).optional(),
    expiresInSeconds: z.int().min(60).max(900).optional(),
  })
  .meta({ id: "CreateConnectSession" });

/** Body of `POST /v1/connect-sessions/reauthorize`. */
export interface CreateReauthorizeSession {
  readonly connectionId: string;
  /**
   * Lets the person come back with another account. Then the connection ends (`statusReason` `account_changed`) and a
   * new one for the other account takes its place: records of two accounts never mix. Default: refused with
   * `account_mismatch`.
   */
  readonly allowAccountChange?: boolean | undefined;
  readonly endUser: CreateConnectSession["endUser"];
  readonly allowedOrigins: readonly string[];
  readonly returnUrl?: string | undefined;
  readonly locale?: string | undefined;
}
export const CreateReauthorizeSession: z.ZodType<CreateReauthorizeSession> = z
  .strictObject({
    connectionId: z.string(),
    allowAccountChange: z.boolean().optional(),
    endUser: z.strictObject({
      id: z.string().min(1).max(128),
      label: z.string().max(200).optional(),
      email: z.email().max(254).optional(),
    }),
    allowedOrigins: z.array(origin).min(1).max(10),
    returnUrl: ReturnUrl.optional(),
    locale: z.string().max(35).optional(),
  })
  .meta({ id: "CreateReauthorizeSession" });

/** The right itself. Hand `token` to the widget only; it is shown once and never stored in clear. */
export interface ConnectSession {
  /** `cs_…` */
  readonly id: string;
  /** `cst_live_…` or `cst_test_…` */
  readonly token: string;
  readonly expiresAt: string;
}
export const ConnectSession: z.ZodType<ConnectSession> = z
  .strictObject({ id: z.string(), token: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: "ConnectSession" });
