import type { GrantId, ProviderAppId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, eq, ne } from "drizzle-orm";
import type { ConnectionParams } from "../../connectors/kit/index.ts";
import { grants, orphanTokenPairs } from "../../domain/connections/index.ts";
import { NIL_UUID, readDatabaseNow, type Tx } from "../../platform/db/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import type { CredentialsDeps } from "./deps.ts";
import { enterGrant, type GrantAct } from "./enter-grant.ts";
import { ofGrant, type GrantRow } from "./load-grant.ts";
import type { TokenSet } from "./oauth-client.ts";
import { keepAliveInstant, refreshInstant, toPair } from "./plan-refresh.ts";
import { idleDaysOf, refreshPolicyOf } from "./refresh-policy.ts";
import { grantKeySpec, sealSecret, tokensPlace, type GrantSecret } from "./token-pair.ts";

interface GrantOf {
  readonly workspaceId: WorkspaceId;
  readonly provider: string;
  readonly providerAppId: ProviderAppId;
  readonly accountId: string;
  readonly mode: "live" | "test";
  readonly params: ConnectionParams;
  readonly scopes: readonly string[];
  /** Before the exchange was sent, by this process's clock, as all instants here. */
  readonly issuedAt: Date;
}

/** Tokens of an OAuth authorization: the provider app's own, shared by all connections to the account. */
export interface StoreGrant extends GrantOf {
  readonly tokens: TokenSet;
}

/** A credential that a tenant handed over: the grant is that tenant's own. */
export interface StoreHandedOver extends GrantOf {
  readonly authMethod: string;
  readonly tenantUid: TenantUid;
  readonly secret: GrantSecret;
  /** `null`: the key is not ours to replace. */
  readonly rotateAt: Date | null;
  readonly certificateEndsAt: Date | null;
}

export interface StoredGrant {
  readonly grantId: GrantId;
  /** Nothing hung on the account before. */
  readonly isNew: boolean;
}

/** Two first authorizations of one account may meet; more often than this it is a bug. */
const TRIES_MAX = 3;

/**
 * Keeps freshly exchanged tokens. A live grant of the same account gets them in place of its own at once, since the
 * provider may have invalidated those: connections that hang on it go on with the new ones.
 */
export async function storeGrant(deps: CredentialsDeps, input: StoreGrant): Promise<StoredGrant> {
  const { tokens, ...grant } = input;
  const policy = refreshPolicyOf(deps, { provider: input.provider, authMethod: "oauth2" });
  const secret = toPair(tokens, input.issuedAt, null, idleDaysOf(policy));
  return store(deps, {
    ...grant,
    authMethod: "oauth2",
    tenantUid: NIL_UUID as TenantUid,
    secret,
    rotateAt: null,
    certificateEndsAt: null,
  });
}

/** The live grant of an account that was consented to. `null`: there is none, or it does not work any more. */
export async function findGrant(
  deps: Pick<CredentialsDeps, "withWorkspace">,
  of: Pick<StoreGrant, "workspaceId" | "providerAppId" | "accountId" | "mode">,
): Promise<GrantId | null> {
  const consented = { ...of, authMethod: "oauth2", tenantUid: NIL_UUID as TenantUid };
  const row = await deps.withWorkspace(of.workspaceId, (tx) => findOfAccount(tx, consented));
  return row === null || row.state === "dead" || row.handedOverAt !== null ? null : row.id;
}

/** Keeps what a tenant handed over, proved before; it takes the place of what the tenant gave for the account before. */
export async function storeHandedOver(deps: CredentialsDeps, input: StoreHandedOver): Promise<StoredGrant> {
  return store(deps, input);
}

async function store(deps: CredentialsDeps, given: StoreHandedOver): Promise<StoredGrant> {
  const input = await byDatabaseTime(deps, given);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const former = await deps.withWorkspace(input.workspaceId, (tx) => findOfAccount(tx, input));
    const grantId = former?.id ?? newId<GrantId>();
    const stored = await (former === null ? insertGrant(deps, input, grantId) : replaceTokens(deps, input, grantId));
    if (!stored) continue;
    deps.news.tell({ workspaceId: input.workspaceId, grantId });
    return { grantId, isNew: former === null };
  }
  throw new Error("the grant changed under every try to store it");
}

async function findOfAccount(
  tx: Tx,
  input: Pick<StoreHandedOver, "workspaceId" | "providerAppId" | "accountId" | "mode" | "authMethod" | "tenantUid">,
): Promise<GrantRow | null> {
  const [row] = await tx
    .select()
    .from(grants)
    .where(
      and(
        eq(grants.workspaceId, input.workspaceId),
        eq(grants.providerAppId, input.providerAppId),
        eq(grants.accountId, input.accountId),
        eq(grants.mode, input.mode),
        eq(grants.authMethod, input.authMethod),
        eq(grants.ownerTenantUid, input.tenantUid),
        ne(grants.state, "ended"),
      ),
    );
  return row ?? null;
}

/** @returns false when somebody else inserted one first */
async function insertGrant(deps: CredentialsDeps, input: StoreHandedOver, grantId: GrantId): Promise<boolean> {
  const values = await tokenColumns(deps, input, grantId);
  const log = await deps.audit.writer(input.workspaceId);
  return deps.withWorkspace(input.workspaceId, async (tx) => {
    const rows = await tx
      .insert(grants)
      .values({
        workspaceId: input.workspaceId,
        id: grantId,
        provider: input.provider,
        providerAppId: input.providerAppId,
        accountId: input.accountId,
        mode: input.mode,
        authMethod: input.authMethod,
        ownerTenantUid: input.tenantUid,
        ...values(1),
        createdAt: deps.clock.now(),
      })
      .onConflictDoNothing()
      .returning({ id: grants.id });
    if (rows.length === 0) return false;
    await enterGrant(log, tx, { workspaceId: input.workspaceId, grantId }, actOf("grant.created", input));
    return true;
  });
}

/** @returns false when the grant was given back meanwhile */
async function replaceTokens(deps: CredentialsDeps, input: StoreHandedOver, grantId: GrantId): Promise<boolean> {
  const target = { workspaceId: input.workspaceId, grantId };
  const values = await tokenColumns(deps, input, grantId);
  const log = await deps.audit.writer(input.workspaceId);
  return deps.withWorkspace(input.workspaceId, async (tx) => {
    const [row] = await tx.select().from(grants).where(ofGrant(target)).for("no key update");
    if (row === undefined || row.state === "ended") return false;
    await tx
      .update(grants)
      // The raised fence keeps a refresh that is under way from writing over the new tokens.
      .set({ ...values(row.rowVersion + 1), fence: row.fence + 1 })
      .where(ofGrant(target));
    await tx
      .delete(orphanTokenPairs)
      .where(and(eq(orphanTokenPairs.workspaceId, input.workspaceId), eq(orphanTokenPairs.grantId, grantId)));
    await enterGrant(log, tx, target, actOf("grant.replaced", input));
    return true;
  });
}

function actOf(action: GrantAct["action"], { provider, authMethod, tenantUid }: StoreHandedOver): GrantAct {
  return { action, tenantUid: tenantUid === NIL_UUID ? null : tenantUid, details: { provider, authMethod } };
}

/** The sealer comes first, since making a key commits; the version is known only inside the transaction. */
async function tokenColumns(deps: CredentialsDeps, input: StoreHandedOver, grantId: GrantId) {
  const sealer = await deps.vault.sealer(grantKeySpec(input.workspaceId, grantId));
  const { secret } = input;
  return (rowVersion: number) => ({
    params: { ...input.params },
    scopes: [...input.scopes],
    tokens: sealSecret(sealer, tokensPlace(grantId, rowVersion), secret),
    previousTokens: null,
    rowVersion,
    state: "active" as const,
    deadSince: null,
    handedOverAt: null,
    leaseUntil: null,
    attemptId: null,
    askedAt: null,
    failures: 0,
    accessExpiresAt: secret.kind === "fields" ? null : secret.accessExpiresAt,
    refreshAt: secret.kind === "fields" ? null : refreshInstant(input.issuedAt, secret, deps.random),
    refreshExpiresAt: secret.kind === "tokens" ? secret.refreshExpiresAt : null,
    rotateAt: input.rotateAt,
    certificateEndsAt: input.certificateEndsAt,
    keepAliveAt: secret.kind === "fields" ? null : keepAliveInstant(input.issuedAt, secret, deps.random),
    updatedAt: deps.clock.now(),
  });
}

/** The same with every instant by the clock that all processes share. */
async function byDatabaseTime(deps: CredentialsDeps, input: StoreHandedOver): Promise<StoreHandedOver> {
  const now = await deps.withWorkspace(input.workspaceId, readDatabaseNow);
  const aheadMs = now.getTime() - deps.clock.now().getTime();
  const shifted = (at: Date | null) => (at === null ? null : new Date(at.getTime() + aheadMs));
  const { secret } = input;
  return {
    ...input,
    issuedAt: new Date(input.issuedAt.getTime() + aheadMs),
    secret:
      secret.kind === "fields"
        ? secret
        : {
            ...secret,
            accessExpiresAt: shifted(secret.accessExpiresAt),
            ...(secret.kind === "tokens" ? { refreshExpiresAt: shifted(secret.refreshExpiresAt) } : {}),
          },
  };
}
