/**
 * What the widget speaks with the backend: `/connect/v1`, authorized by a connect session token.
 *
 * @module
 */
import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";
import { Connection } from "./connections.ts";
import { PERMISSIONS, type Permission } from "./connect-sessions.ts";

/** `POST /connect/v1/session`, `text/plain` with JSON `{token}` so that no preflight is needed → all a first paint needs. */
export interface ConnectBootstrap {
  readonly sessionId: string;
  /** The host's name as shown to people. */
  readonly hostName: string;
  readonly mode: "live" | "test";
  readonly endUser: { readonly id: string; readonly label: string | null; readonly email: string | null };
  readonly permissions: readonly Permission[];
  readonly locale: string | null;
  readonly expiresAt: string;
  readonly providers: readonly ConnectProvider[];
  readonly connections: readonly Connection[];
}

/** A provider as the widget shows it. */
export interface ConnectProvider {
  readonly id: string;
  readonly name: string;
  /** Models that will be read. */
  readonly models: readonly ModelName[];
  /** Fields to ask before authorizing; empty for most. */
  readonly parameters: readonly {
    readonly name: string;
    readonly label: string;
    readonly hint: string;
    readonly suffix: string | null;
    readonly example: string;
  }[];
}

export const ConnectBootstrap: z.ZodType<ConnectBootstrap> = z
  .strictObject({
    sessionId: z.string(),
    hostName: z.string(),
    mode: z.enum(["live", "test"]),
    endUser: z.strictObject({ id: z.string(), label: z.string().nullable(), email: z.string().nullable() }),
    permissions: z.array(z.enum(PERMISSIONS)),
    locale: z.string().nullable(),
    expiresAt: z.iso.datetime(),
    providers: z.array(
      z.strictObject({
        id: z.string(),
        name: z.string(),
        models: z.array(z.enum(MODEL_NAMES)),
        parameters: z.array(
          z.strictObject({
            name: z.string(),
            label: z.string(),
            hint: z.string(),
            suffix: z.string().nullable(),
            example: z.string(),
          }),
        ),
      }),
    ),
    connections: z.array(Connection),
  })
  .meta({ id: "ConnectBootstrap" });

export const ConnectSessionToken = z.strictObject({ token: z.string().max(300) });

/** `POST /connect/v1/providers/{provider}/resolve`: what a person typed → the canonical value, and whether the account exists. */
export interface ResolveParameters {
  readonly parameters: Readonly<Record<string, string>>;
}
export const ResolveParameters: z.ZodType<ResolveParameters> = z
  .strictObject({ parameters: z.record(z.string().max(40), z.string().max(300)) })
  .meta({ id: "ResolveParameters" });

/** `POST /connect/v1/authorizations` */
export interface StartAuthorization {
  readonly provider: string;
  /** Canonical or as typed; checked again. */
  readonly parameters: Readonly<Record<string, string>>;
  /** base64url of SHA-256 of a 32-byte verifier that stays in the widget's memory. */
  readonly verifierChallenge: string;
  readonly display: "popup" | "redirect";
  /** Repairs this connection instead of making one. */
  readonly connectionId?: string | undefined;
  readonly models?: readonly ModelName[] | undefined;
}
export const StartAuthorization: z.ZodType<StartAuthorization> = z
  .strictObject({
    provider: z.string().max(40),
    parameters: z.record(z.string().max(40), z.string().max(300)),
    verifierChallenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "base64url of 32 bytes"),
    display: z.enum(["popup", "redirect"]),
    connectionId: z.string().optional(),
    models: z.array(z.enum(MODEL_NAMES)).min(1).optional(),
  })
  .meta({ id: "StartAuthorization" });

export const AUTHORIZATION_STATUSES = [
  "created", // waiting for the browser to go to the provider
  "started", // the browser is at the provider
  "exchanged", // tokens are here, sealed; proof of the browser is missing
  "confirmed", // the person confirmed in the popup; the widget may complete
  "completed",
  "failed",
  "expired",
  "canceled",
] as const;
export type AuthorizationStatus = (typeof AUTHORIZATION_STATUSES)[number];

/** One try of an end user to establish or repair a connection. */
export interface Authorization {
  /** `auth_…` */
  readonly id: string;
  readonly provider: string;
  readonly status: AuthorizationStatus;
  /** Code of the widget's error enum, when failed. */
  readonly error: string | null;
  /** Known after the exchange. */
  readonly accountName: string | null;
  /** Set when completed. */
  readonly connection: Connection | null;
  /** Scopes that the person did not give, when `error` is `missing_scopes`. */
  readonly missingScopes: readonly string[];
  readonly expiresAt: string;
}
export const Authorization: z.ZodType<Authorization> = z
  .strictObject({
    id: z.string(),
    provider: z.string(),
    status: z.enum(AUTHORIZATION_STATUSES),
    error: z.string().nullable(),
    accountName: z.string().nullable(),
    connection: Connection.nullable(),
    missingScopes: z.array(z.string()),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: "Authorization" });

/** Answer of {@link StartAuthorization}: send the popup or this page to `startUrl` within 60 seconds. */
export interface StartedAuthorization {
  readonly id: string;
  readonly startUrl: string;
  readonly expiresAt: string;
}
export const StartedAuthorization: z.ZodType<StartedAuthorization> = z
  .strictObject({ id: z.string(), startUrl: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: "StartedAuthorization" });

/**
 * `POST /connect/v1/authorizations/{id}/complete`: the proof that this browser started it.
 *
 * Popup: `verifier` and the `completionCode` posted by the popup (or none, after the person confirmed in the popup).
 * Redirect: `completionCode` from the return URL and a session of the same end user.
 * Page reloaded: neither verifier nor code, a session of the same end user, and the confirm screen.
 */
export interface CompleteAuthorization {
  readonly verifier?: string | undefined;
  readonly completionCode?: string | undefined;
}
export const CompleteAuthorization: z.ZodType<CompleteAuthorization> = z
  .strictObject({
    verifier: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/)
      .optional(),
    completionCode: z.string().max(100).optional(),
  })
  .meta({ id: "CompleteAuthorization" });

/** What the callback page posts to `opener`, to the exact origin recorded at the start. A hint: the widget then asks. */
export interface AuthorizationMessage {
  readonly type: "patchbay:authorization";
  readonly authorizationId: string;
  /** Present when consent was given. */
  readonly completionCode?: string;
}

/** Query parameters that redirect mode adds to the return URL; the widget strips them at once. */
export const RETURN_PARAMETERS = { authorization: "pb_authorization", code: "pb_code" } as const;
