import { AppError, encodeId, type Connection, type GrantId, type ModelName, type WorkspaceId } from "@patchbay/shared";
import {
  authMethod,
  missingScopes,
  type AccountIdentity,
  type Connector,
  type DirectAuth,
} from "../../connectors/kit/index.ts";
import {
  changeStatus,
  findByAccount,
  grantRevived,
  grants,
  insertConnection,
  lockConnection,
  type ConnectionRow,
} from "../../domain/connections/index.ts";
import { getProviderApp, getWorkspace, tenantRef } from "../../domain/workspaces/index.ts";
import type { Sealer } from "../../domain/vault/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { and, eq } from "drizzle-orm";
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
  const missing = missingScopes(connector, scopes, models);
  if (missing.length > 0) {
    throw new AppError("missing_scopes", `these credentials lack ${missing.join(", ")}; allow them at the provider`);
  }
  const account = { ...identity, grantedScopes: scopes };
  const of = { workspaceId, tenantUid: tenant.uid, provider: connector.id, mode, params };
  await refuseOtherWays(deps, of, account, method);
  const { grantId, isNew } = await deps.credentials.storeHandedOver({
    ...of,
    providerAppId: app.id,
    accountId: account.accountId,
    scopes,
    authMethod: method.id,
    secret: obtained.secret,
    issuedAt: obtained.issuedAt,
  });
  if (!isNew) await grantRevived(deps, { workspaceId, grantId });
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: tenant.uid, purpose: "payload" });
  const connection = await deps.withWorkspace(workspaceId, (tx) =>
    attach(tx, deps, sealer, { ...of, grantId, account, models }),
  );
  deps.wake.poke("events");
  deps.wake.poke("lanes:connection");
  return getConnection(deps, { workspaceId }, encodeId("conn", connection.id));
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

function modelsOf(connector: Connector): readonly ModelName[] {
  return [...new Set(Object.values(connector.resources).map((resource) => resource.model))];
}

interface Account {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: ConnectionRow["tenantUid"];
  readonly provider: string;
  readonly mode: "live" | "test";
}

/** A connection that works is not turned over to another method behind its back. */
async function refuseOtherWays(
  deps: ConnectDeps,
  of: Account,
  { accountId }: AccountIdentity,
  method: DirectAuth,
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

/** The connection, active. The grant is locked first, as everywhere. */
async function attach(
  tx: Tx,
  deps: ConnectDeps,
  sealer: Sealer,
  input: Account & {
    readonly grantId: GrantId;
    readonly account: AccountIdentity;
    readonly params: Record<string, string>;
    readonly models: readonly ModelName[];
  },
): Promise<ConnectionRow> {
  const { workspaceId, grantId, account, models, params, ...of } = input;
  const [grant] = await tx
    .select({ state: grants.state })
    .from(grants)
    .where(and(eq(grants.workspaceId, workspaceId), eq(grants.id, grantId)))
    .for("update");
  if (grant === undefined || grant.state === "ended") {
    throw new AppError("conflict", "the credentials were given back meanwhile; hand them over again");
  }
  const facts = {
    grantId,
    accountName: account.name,
    accountUrl: account.url,
    accountAliases: [...account.aliases],
    accountCurrency: null,
    grantedScopes: [...account.grantedScopes],
    params,
  };
  const found = await findByAccount(tx, { ...of, workspaceId, accountId: account.accountId });
  if (found === null) {
    const made = { ...of, ...facts, workspaceId, accountId: account.accountId, models: [...models] };
    const connection = await insertConnection(tx, { ...deps, sealer }, made);
    await deps.onActivated(tx, connection);
    return connection;
  }
  const existing = await lockConnection(tx, workspaceId, found.id);
  if (existing.endedAt !== null) throw new AppError("conflict", "the connection ended meanwhile; try again");
  const { connection, changed } = await changeStatus(
    tx,
    { ...deps, sealer },
    { workspaceId, connectionId: existing.id, event: "reauthorized", facts },
  );
  if (changed || existing.grantId !== grantId) await deps.onActivated(tx, connection);
  return connection;
}
