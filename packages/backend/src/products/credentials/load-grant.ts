import type { GrantId, ProviderAppId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { authMethod, type ConnectionParams, type Connector } from "../../connectors/kit/index.ts";
import { grants } from "../../domain/connections/index.ts";
import { getProviderApp, providerApps } from "../../domain/workspaces/index.ts";
import { databaseNow, type Tx } from "../../platform/db/index.ts";
import type { CredentialsDeps, GrantTarget } from "./deps.ts";
import type { OAuthParty } from "./oauth-client.ts";

export type GrantRow = typeof grants.$inferSelect;

/** What a caller of the provider must know besides the token. */
export interface GrantFacts {
  readonly grantId: GrantId;
  readonly provider: string;
  /** Id of the connector's auth method. */
  readonly authMethod: string;
  readonly providerAppId: ProviderAppId;
  readonly params: ConnectionParams;
  readonly accountId: string;
  readonly mode: "live" | "test";
  readonly baseUrlOverride: string | null;
}

export function ofGrant(target: GrantTarget) {
  return and(eq(grants.workspaceId, target.workspaceId), eq(grants.id, target.grantId));
}

/** A grant and the database's time: whether a token or a lease has ended is judged by no process's own clock. */
export interface SeenGrant {
  readonly row: GrantRow;
  readonly now: Date;
}

export async function loadGrant(tx: Tx, target: GrantTarget): Promise<SeenGrant | null> {
  const [seen] = await tx.select(SEEN).from(grants).where(ofGrant(target));
  return seen ?? null;
}

/** As {@link loadGrant}, and nobody else changes the row until the end of the transaction. */
export async function lockGrant(tx: Tx, target: GrantTarget): Promise<SeenGrant | null> {
  const [seen] = await tx.select(SEEN).from(grants).where(ofGrant(target)).for("no key update");
  return seen ?? null;
}

const SEEN = { row: grants, now: databaseNow() };

/** As {@link loadGrant}, with what a caller of the provider must know. */
export async function loadGrantWithFacts(
  tx: Tx,
  target: GrantTarget,
): Promise<{ readonly seen: SeenGrant; readonly facts: GrantFacts } | null> {
  const [found] = await tx
    .select({ ...SEEN, baseUrlOverride: providerApps.baseUrlOverride })
    .from(grants)
    .innerJoin(
      providerApps,
      and(eq(providerApps.workspaceId, grants.workspaceId), eq(providerApps.id, grants.providerAppId)),
    )
    .where(ofGrant(target));
  if (found === undefined) return null;
  const { row, now, baseUrlOverride } = found;
  const { id, provider, authMethod: method, providerAppId, params, accountId, mode } = row;
  return {
    seen: { row, now },
    facts: { grantId: id, provider, authMethod: method, providerAppId, params, accountId, mode, baseUrlOverride },
  };
}

/**
 * The provider app that speaks for a grant; `null` when the app or the connector is gone, or the grant's method has
 * nothing to ask of a token endpoint.
 */
export async function partyOf(deps: CredentialsDeps, row: GrantRow): Promise<OAuthParty | null> {
  const connector: Connector | undefined = deps.connectors[row.provider];
  const app = await getProviderApp(deps, { workspaceId: row.workspaceId, provider: row.provider });
  if (connector === undefined || app === null) return null;
  const auth = authMethod(connector, row.authMethod);
  if (auth.kind !== "oauth2" && auth.kind !== "client_credentials" && auth.kind !== "jwt_bearer") return null;
  const { clientId, clientSecret, keys, baseUrlOverride } = app;
  return { connector, auth, params: row.params, clientId, clientSecret, keys, baseUrlOverride, mode: row.mode };
}
