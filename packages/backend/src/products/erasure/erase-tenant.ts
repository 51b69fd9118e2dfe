import { encodeId, type ErasureId, type Erasure, type GrantId, type WorkspaceId } from "@patchbay/shared";
import { endConnectionsOfTenant, grantsOfTenant } from "../../domain/connections/index.ts";
import { keyVersionsOf } from "../../domain/vault/index.ts";
import { buryTenant } from "../../domain/workspaces/index.ts";
import { NIL_UUID, type ErasedTenant, type Tx } from "../../platform/db/index.ts";
import { submit, type NewItem } from "../../platform/lanes/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import { endAuthorizationsOfTenant, grantsOfAuthorizations } from "../connect/index.ts";
import { shredSources, sourcesOfTenant } from "../ingest/index.ts";
import type { ErasureDeps } from "./deps.ts";
import { rawUntil, toReceipt } from "./receipt.ts";
import { erasures } from "./tables.ts";

type Deps = Pick<
  ErasureDeps,
  "app" | "vault" | "ingest" | "inboxRetentionDays" | "backupRetentionDays" | "clock" | "wake" | "log"
>;

/**
 * Takes a tenant away, in one transaction: it is unknown to the host, its keys are destroyed, its connections and what
 * its end users had begun have ended. Its rows, unreadable from here on, go one batch after the other.
 *
 * @throws AppError `tenant_not_found`, also when it was erased before
 */
export async function eraseTenant(
  deps: Deps,
  input: { readonly workspaceId: WorkspaceId; readonly id: string },
): Promise<Erasure> {
  const { workspaceId } = input;
  const now = deps.clock.now();
  const row = await deps.app.withWorkspace(workspaceId, async (tx) => {
    // First: from here until the commit, nobody begins anything for the tenant.
    const tenantUid = await buryTenant(tx, { workspaceId, id: input.id, now });
    const tenant = { workspaceId, tenantUid };
    // Authorizations before connections, as whoever completes one.
    await endAuthorizationsOfTenant(tx, tenant);
    for (const connectionId of await endConnectionsOfTenant(tx, { ...tenant, now })) {
      await deps.ingest.onConnectionEnded(tx, { workspaceId, connectionId });
    }
    const sourceIds = await sourcesOfTenant(tx, tenant);
    const [made] = await tx
      .insert(erasures)
      .values({
        ...tenant,
        id: newId<ErasureId>(),
        status: "erasing",
        requestedAt: now,
        shreddedAt: now,
        keysDestroyed:
          (await deps.vault.destroyKeys(tx, tenant)) + (await shredSources(tx, deps, { workspaceId, sourceIds })),
        openGrants: [...(await grantsOf(tx, tenant))],
        sources: [...sourceIds],
        keyVersions: [...(await keyVersionsOf(tx, workspaceId))],
        rawUntil: rawUntil(now, deps.inboxRetentionDays),
        backupRetentionDays: deps.backupRetentionDays,
      })
      .returning();
    if (made === undefined) throw new Error("the erasure was not written");
    await submit(tx, [workItem(workspaceId, made.id, now)]);
    return made;
  });
  deps.wake.poke("lanes:erasure");
  const { keysDestroyed } = row;
  deps.log.info({ workspaceId, erasureId: encodeId("era", row.id), keysDestroyed }, "tenant erased");
  return toReceipt(row);
}

/** The tenant's own lanes go with it, so that the work rides in a lane of the nil tenant. */
function workItem(workspaceId: WorkspaceId, id: ErasureId, runAt: Date): NewItem {
  return {
    kind: "erasure",
    workspaceId,
    tenantUid: NIL_UUID as ErasedTenant["tenantUid"],
    laneId: id,
    id,
    task: "erase",
    runAt,
  };
}

async function grantsOf(tx: Tx, tenant: ErasedTenant): Promise<ReadonlySet<GrantId>> {
  return new Set([...(await grantsOfTenant(tx, tenant)), ...(await grantsOfAuthorizations(tx, tenant))]);
}
