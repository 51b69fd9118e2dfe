import { and, eq } from "drizzle-orm";
import { connections, changeStatus } from "../../domain/connections/index.ts";
import type { ClaimedLane, LaneItem } from "../../platform/lanes/index.ts";
import { backOff } from "./backoff.ts";
import { connectionEnded } from "./connection-ended.ts";
import type { IngestDeps } from "./deps.ts";
import type { LaneConnection } from "./lane-connection.ts";

type CheckDeps = Pick<IngestDeps, "worker" | "vault" | "client" | "clock" | "wake" | "log">;

/** A hint that cannot be confirmed this often is dropped: the next run will meet the truth. */
const ATTEMPTS_MAX = 8;

/**
 * Asks the provider whose account this is, after a hint that access ended or changed. Hints are not proof: only a
 * refusal of our tokens ends a connection.
 */
export async function checkAccount(
  deps: CheckDeps,
  lane: ClaimedLane,
  item: LaneItem,
  connection: LaneConnection,
): Promise<void> {
  const { workspaceId, tenantUid, connectionId } = connection.owner;
  const { identity } = connection.connector;
  const outcome = await deps.client.call(connection.target, identity.request(), {
    priority: "webhook",
    signal: lane.signal,
  });
  if (lane.signal.aborted) return;
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await lane.fence(tx);
    if (outcome.ok) {
      const { name, url, aliases, grantedScopes } = identity.parse(outcome.response);
      await tx
        .update(connections)
        .set({
          accountName: name,
          accountUrl: url,
          accountAliases: [...aliases],
          grantedScopes: [...grantedScopes],
          updatedAt: deps.clock.now(),
        })
        .where(and(eq(connections.workspaceId, workspaceId), eq(connections.id, connectionId)));
    } else if (outcome.fault.kind === "reauthorize") {
      await changeStatus(
        tx,
        { ...deps, sealer },
        { workspaceId, connectionId, event: "revoked", reason: "access_revoked" },
      );
      await connectionEnded(tx, deps, { workspaceId, connectionId });
    } else if (item.attempts < ATTEMPTS_MAX) {
      return lane.settle(tx, [{ id: item.id, outcome: { at: backOff(deps.clock.now(), item.attempts) } }]);
    }
    await lane.settle(tx, [{ id: item.id, outcome: "done" }]);
  });
  deps.wake.poke("events");
  deps.log.info(
    { ...connection.lane, ok: outcome.ok, fault: outcome.ok ? null : outcome.fault.kind },
    "account checked",
  );
}
