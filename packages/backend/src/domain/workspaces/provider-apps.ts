import { AppError, type ProviderAppId, type PutProviderApp, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { NIL_UUID, type WithWorkspace } from "../../platform/db/index.ts";
import { Secret, newId, type Clock } from "../../platform/runtime/index.ts";
import type { Place, Sealer, Vault } from "../vault/index.ts";
import { checkCertificate } from "./check-certificate.ts";
import { certificateKeyPlace, loadAppKeys, type AppKeys } from "./provider-app-keys.ts";
import { providerApps } from "./tables.ts";
import { getWorkspace } from "./workspaces.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
  readonly vault: Vault;
  /** Exact origins that a `baseUrlOverride` may name. */
  readonly sandboxOrigins: readonly string[];
}

/** A workspace's registration at a provider, with its secrets open. */
export interface ProviderAppFacts {
  readonly id: ProviderAppId;
  readonly provider: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Still signs deliveries for a day after a change; `null` when there is none. */
  readonly previousClientSecret: Secret | null;
  /** When that ends. */
  readonly previousSecretUntil: Date | null;
  readonly keys: AppKeys;
  readonly baseUrlOverride: string | null;
}

/** How long deliveries signed with the former secret are accepted. Providers take up to an hour to switch. */
const SECRET_OVERLAP_MS = 24 * 3_600_000;

/**
 * Registers or changes the app. A changed secret leaves the old one accepted for 24 hours.
 *
 * @throws AppError `invalid_request` when `baseUrlOverride` is not allowed here, `conflict` when another request made it first
 */
export async function putProviderApp(
  deps: Deps,
  input: { readonly workspaceId: WorkspaceId; readonly provider: string; readonly body: PutProviderApp },
): Promise<ProviderAppFacts> {
  const { body, workspaceId, provider } = input;
  await checkOverride(deps, workspaceId, body.baseUrlOverride ?? null);
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "secret" });
  const former = await getProviderApp(deps, input);
  const id = former?.id ?? newId<ProviderAppId>();
  const now = deps.clock.now();
  const changes = {
    clientId: body.clientId,
    clientSecret: sealer.seal(secretPlace(id, "client_secret"), Buffer.from(body.clientSecret)),
    ...certificateColumns(sealer, id, body.clientCertificate, now),
    baseUrlOverride: body.baseUrlOverride ?? null,
    updatedAt: now,
  };
  const rotated = former !== null && former.clientSecret.reveal() !== body.clientSecret;
  const overlap = rotated
    ? {
        previousClientSecret: sealer.seal(
          secretPlace(id, "previous_client_secret"),
          Buffer.from(former.clientSecret.reveal()),
        ),
        previousSecretUntil: new Date(now.getTime() + SECRET_OVERLAP_MS),
      }
    : {};
  const written = await deps.withWorkspace(workspaceId, (tx) =>
    former === null
      ? tx
          .insert(providerApps)
          .values({ ...changes, workspaceId, id, provider, createdAt: now })
          .onConflictDoNothing()
          .returning({ id: providerApps.id })
      : tx
          .update(providerApps)
          .set({ ...changes, ...overlap })
          .where(and(eq(providerApps.workspaceId, workspaceId), eq(providerApps.id, id)))
          .returning({ id: providerApps.id }),
  );
  if (written.length === 0) throw new AppError("conflict", "this app was registered by another request; send it again");
  const app = await getProviderApp(deps, input);
  if (app === null) throw new Error("the provider app was not written");
  return app;
}

/** The workspace's app at a provider with its secrets open; `null` when none is registered. */
export async function getProviderApp(
  deps: Pick<Deps, "withWorkspace" | "vault" | "clock">,
  input: { readonly workspaceId: WorkspaceId; readonly provider: string },
): Promise<ProviderAppFacts | null> {
  const { workspaceId, provider } = input;
  const [row] = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(providerApps)
      .where(and(eq(providerApps.workspaceId, workspaceId), eq(providerApps.provider, provider))),
  );
  if (row === undefined) return null;
  const open = async (column: SecretColumn, sealed: Uint8Array) =>
    new Secret(Buffer.from(await deps.vault.open(workspaceId, secretPlace(row.id, column), sealed)).toString());
  const overlapping = row.previousSecretUntil !== null && row.previousSecretUntil > deps.clock.now();
  return {
    id: row.id,
    provider: row.provider,
    clientId: row.clientId,
    clientSecret: await open("client_secret", row.clientSecret),
    previousClientSecret:
      overlapping && row.previousClientSecret !== null
        ? await open("previous_client_secret", row.previousClientSecret)
        : null,
    previousSecretUntil: overlapping ? row.previousSecretUntil : null,
    keys: await loadAppKeys(deps, { workspaceId, providerAppId: row.id }),
    baseUrlOverride: row.baseUrlOverride,
  };
}

/** Providers that the workspace registered an app with. */
export async function listConfiguredProviders(
  deps: Pick<Deps, "withWorkspace">,
  workspaceId: WorkspaceId,
): Promise<readonly string[]> {
  const rows = await deps.withWorkspace(workspaceId, (tx) =>
    tx.select({ provider: providerApps.provider }).from(providerApps).where(eq(providerApps.workspaceId, workspaceId)),
  );
  return rows.map((row) => row.provider);
}

/** Left out: as it was. `null`: none any more. */
function certificateColumns(sealer: Sealer, id: ProviderAppId, given: PutProviderApp["clientCertificate"], now: Date) {
  if (given === undefined) return {};
  if (given === null) return { clientCertificate: null, clientCertificateKey: null };
  checkCertificate(given, now);
  const key = sealer.seal(certificateKeyPlace(id), Buffer.from(given.privateKey));
  return { clientCertificate: given.certificate, clientCertificateKey: key };
}

type SecretColumn = "client_secret" | "previous_client_secret";

function secretPlace(id: ProviderAppId, column: SecretColumn): Place {
  return { table: "provider_apps", rowId: id, column, rowVersion: 1 };
}

async function checkOverride(deps: Deps, workspaceId: WorkspaceId, override: string | null): Promise<void> {
  if (override === null) return;
  const workspace = await getWorkspace(deps, workspaceId);
  const origin = URL.parse(override.replaceAll(/[{}]/g, ""))?.origin;
  if (workspace.mode !== "test") {
    throw new AppError("invalid_request", "baseUrlOverride is for test workspaces; leave it out here");
  }
  if (origin === undefined || !deps.sandboxOrigins.includes(origin)) {
    throw new AppError(
      "invalid_request",
      "baseUrlOverride must begin with an origin that the operator allows in PATCHBAY_SANDBOX_ORIGINS",
    );
  }
}
