import { AppError, encodeId, type Connection, type ModelName, type WorkspaceId } from "@patchbay/shared";
import {
  authMethod,
  missingScopes,
  type AccountIdentity,
  type AuthMethod,
  type Connector,
  type DirectAuth,
} from "../../connectors/kit/index.ts";
import { findByAccount, grantRevived, grants, type ConnectionRow } from "../../domain/connections/index.ts";
import { getProviderApp, getWorkspace, tenantRef } from "../../domain/workspaces/index.ts";
import { and, eq } from "drizzle-orm";
import { attachGrant, attachmentOf } from "./attach-grant.ts";
import { getConnection } from "./connection-verbs.ts";
import type { ConnectDeps } from "./deps.ts";
import { identify } from "./identify.ts";
import { canonicalParameters } from "./resolve-parameters.ts";

/** A credential that the account's owner gave to the host, and what the connection is to read with it. */
export interface HandedOverCredentials {
  readonly workspaceId: WorkspaceId;
  /** The host's own id of the tenant. */
  readonly tenantId: string;
  readonly provider: string;
  /** Id of one of the provider's auth methods, not `oauth2`. */
  readonly method: string;
  /** Such as the shop domain. */
  readonly parameters: Readonly<Record<string, string>>;
  /** By the names that the method declares. */
  readonly fields: Readonly<Record<string, string>>;
  /** Left out: all that the provider has. */
  readonly models?: readonly ModelName[] | undefined;
  /** Refuses a credential that opens another account. */
  readonly accountId?: string | undefined;
}

/**
 * Connects an account with a credential instead of a consent page: checked by the connector's declaration, proved by a
 * live call that tells whose it is, sealed, then the connection is active with its events and lane item in one
 * transaction. Nothing is stored of a credential that does not work. Handed over again for the same account, it takes
 * the place of the former one.
 *
 * @throws AppError `provider_not_found`, `tenant_not_found`, `provider_app_missing`, `invalid_shop`,
 *   `invalid_credentials`, `missing_scopes`, `already_connected` (in another way), `provider_unavailable`
 */
export async function connectWithCredentials(deps: ConnectDeps, input: HandedOverCredentials): Promise<Connection> {
  const { workspaceId } = input;
  const { connector, method } = methodFor(deps, input);
  const [app, { mode }, tenant] = await Promise.all([
    getProviderApp(deps, { workspaceId, provider: connector.id }),
    getWorkspace(deps, workspaceId),
    deps.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id: input.tenantId })),
  ]);
  if (app === null) {
    throw new AppError("provider_app_missing", `register the workspace's ${connector.name} app first`);
  }
  const params = canonicalParameters(connector, input.parameters);
  const models = input.models ?? modelsOf(connector);
  const speaker = { ...app, connector, params, mode };
  const obtained = await deps.credentials.obtain(speaker, method, { fields: input.fields, models });
  const identity = await identify(deps, { ...speaker, auth: method, owner: tenant.uid }, obtained.credential);
  if ("problem" in identity) throw errorOf(identity.problem, connector);
  const scopes = identity.grantedScopes.length > 0 ? identity.grantedScopes : obtained.scopes;
  if (input.accountId !== undefined && input.accountId !== identity.accountId) {
    throw new AppError("account_mismatch", "these credentials open another account than the one that was named");
  }
  refuseMissing(connector, scopes, models);
  const account = { ...identity, grantedScopes: scopes };
  const of = { workspaceId, tenantUid: tenant.uid, provider: connector.id, mode, params };
  await refuseOtherWays(deps, of, account, method);
  const { grantId, isNew } = await deps.credentials.storeHandedOver({
    ...of,
    providerAppId: app.id,
    accountId: account.accountId,
    ...obtained,
    scopes,
    authMethod: method.id,
  });
  if (!isNew) await grantRevived(deps, { workspaceId, grantId });
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: tenant.uid, purpose: "payload" });
  const attached = await deps.withWorkspace(workspaceId, (tx) =>
    attachGrant(tx, deps, sealer, { ...attachmentOf(account), ...of, grantId, models, renews: true }),
  );
  if (typeof attached === "string") {
    throw new AppError("conflict", "the credentials were given back meanwhile; hand them over again");
  }
  deps.wake.poke("events");
  deps.wake.poke("lanes:connection");
  return getConnection(deps, { workspaceId }, encodeId("conn", attached.connection.id));
}

function methodFor(
  deps: ConnectDeps,
  input: HandedOverCredentials,
): { readonly connector: Connector; readonly method: DirectAuth } {
  const connector = deps.connectors[input.provider];
  if (connector === undefined) throw new AppError("provider_not_found", "no such provider; see GET /v1/providers");
  const known = connector.auth.some(({ id }) => id === input.method);
  const method = known ? authMethod(connector, input.method) : null;
  if (method === null || method.kind === "oauth2") {
    const offered = connector.auth.filter(({ kind }) => kind !== "oauth2").map(({ id }) => id);
    throw new AppError("invalid_request", `${connector.name} takes credentials as: ${offered.join(", ") || "none"}`);
  }
  return { connector, method };
}

function errorOf(problem: "refused" | "unavailable", { name }: Connector): AppError {
  return problem === "refused"
    ? new AppError("invalid_credentials", `${name} does not let these credentials in`)
    : new AppError("provider_unavailable", `${name} did not tell whose account this is; try again`);
}

export function modelsOf(connector: Connector): readonly ModelName[] {
  return [...new Set(Object.values(connector.resources).map((resource) => resource.model))];
}

/** @throws AppError `missing_scopes` */
export function refuseMissing(connector: Connector, granted: readonly string[], models: readonly ModelName[]): void {
  const missing = missingScopes(connector, granted, models);
  if (missing.length === 0) return;
  throw new AppError("missing_scopes", `these credentials lack ${missing.join(", ")}; allow them at the provider`);
}

interface Account {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: ConnectionRow["tenantUid"];
  readonly provider: string;
  readonly mode: "live" | "test";
}

/** A connection that works is not turned over to another method behind its back. */
export async function refuseOtherWays(
  deps: ConnectDeps,
  of: Account,
  { accountId }: AccountIdentity,
  method: AuthMethod,
): Promise<void> {
  await deps.withWorkspace(of.workspaceId, async (tx) => {
    const existing = await findByAccount(tx, { ...of, accountId });
    if (existing?.status !== "active" && existing?.status !== "paused") return;
    const [grant] = await tx
      .select({ authMethod: grants.authMethod })
      .from(grants)
      .where(and(eq(grants.workspaceId, of.workspaceId), eq(grants.id, existing.grantId)));
    if (grant?.authMethod === method.id) return;
    throw new AppError("already_connected", "this account is connected in another way; disconnect it first");
  });
}
