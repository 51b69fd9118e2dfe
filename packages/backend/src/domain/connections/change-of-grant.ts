import type { GrantId, TenantUid, WorkspaceId } from "@patchbay/shared";
import type { WithWorkspace } from "../../platform/db/index.ts";
import type { Wake } from "../../platform/lanes/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Sealer, Vault } from "../vault/index.ts";
import { changeStatus } from "./change-status.ts";
import { connectionsOfGrant } from "./load-connection.ts";
import { isLive, type ConnectionEvent } from "./state.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly wake: Pick<Wake, "poke">;
}
interface Grant {
  readonly workspaceId: WorkspaceId;
  readonly grantId: GrantId;
}

/** The provider refuses the grant for good: every connection on it needs a person. Told once, however often called. */
export async function grantDied(deps: Deps, grant: Grant): Promise<void> {
  await changeAll(deps, grant, "credentialsDied", "credentials_refused");
}

/** The grant has good tokens again: connections that waited for them go on. Those that were revoked do not. */
export async function grantRevived(deps: Deps, grant: Grant): Promise<void> {
  await changeAll(deps, grant, "reauthorized", null);
}

async function changeAll(deps: Deps, grant: Grant, event: ConnectionEvent, reason: string | null): Promise<void> {
  const { workspaceId, grantId } = grant;
  const before = await deps.withWorkspace(workspaceId, (tx) => connectionsOfGrant(tx, workspaceId, grantId));
  const sealers = new Map<TenantUid, Sealer>();
  for (const { tenantUid } of before.filter((row) => isLive(row.status))) {
    if (sealers.has(tenantUid)) continue;
    sealers.set(tenantUid, await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" }));
  }
  if (sealers.size === 0) return;
  const announced = await deps.withWorkspace(workspaceId, async (tx) => {
    const rows = await connectionsOfGrant(tx, workspaceId, grantId, "update");
    let count = 0;
    for (const row of rows) {
      const sealer = sealers.get(row.tenantUid);
      if (sealer === undefined || !isLive(row.status)) continue;
      const change = await changeStatus(tx, { ...deps, sealer }, { workspaceId, connectionId: row.id, event, reason });
      if (change.announced !== null) count += 1;
    }
    return count;
  });
  if (announced > 0) deps.wake.poke("events");
}
