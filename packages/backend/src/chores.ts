import type { WorkspaceId } from "@patchbay/shared";
import { writeCheckpoint } from "./domain/audit/index.ts";
import { listConnections } from "./domain/connections/index.ts";
import { nextRotationWork, type Vault } from "./domain/vault/index.ts";
import { forgetIdempotencyKeys, listWorkspaceIds } from "./domain/workspaces/index.ts";
import {
  dropOldInboxPartitions,
  ensureInboxPartitions,
  inboxPartitionHealth,
  partitionWarnings,
  type Database,
} from "./platform/db/index.ts";
import { markAllDue, pruneLanes, sweepDue, type DueSweep } from "./platform/lanes/index.ts";
import type { Chore } from "./platform/jobs/index.ts";
import type { Logger } from "./platform/observability/index.ts";
import type { Clock } from "./platform/runtime/index.ts";
import type { Connect } from "./products/connect/index.ts";
import type { Credentials } from "./products/credentials/index.ts";
import type { Delivery } from "./products/delivery/index.ts";
import type { Ingest } from "./products/ingest/index.ts";

interface Deps {
  readonly database: Database;
  readonly connect: Connect;
  readonly credentials: Credentials;
  readonly ingest: Ingest;
  readonly delivery: Pick<Delivery, "pruneHistory">;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inboxRetentionDays: number;
  /** Takes the workspace's key rotations on. */
  readonly workRotations: (workspaceId: WorkspaceId) => Promise<unknown>;
}

/** What has to be done by the clock. Tenants' own work is only put into lanes here. */
export function listChores(deps: Deps): readonly Chore[] {
  const asMaintenance = deps.database.as("patchbay_maintenance").withQueue;
  const worker = deps.database.as("patchbay_worker");

  /** One workspace after the other; trouble in one does not keep the others waiting. */
  const everyWorkspace = (visit: (workspaceId: WorkspaceId) => Promise<unknown>) => async () => {
    for (const workspaceId of await listWorkspaceIds(worker.withQueue)) {
      await visit(workspaceId).catch((error: unknown) => deps.log.error({ error, workspaceId }, "chore failed"));
    }
  };

  /** What is done often: only workspaces in which something changed, or falls due. */
  const dueWorkspaces = (sweep: DueSweep) => () => sweepDue({ ...deps, worker }, sweep);

  return [
    {
      name: "runs-schedule",
      cron: "* * * * *",
      run: dueWorkspaces({ task: "runs", visit: deps.ingest.scheduleDueRuns, nextLook: deps.ingest.nextDueRun }),
    },
    {
      name: "authorizations-expire",
      cron: "* * * * *",
      run: dueWorkspaces({
        task: "authorizations",
        visit: (id) => deps.connect.expireAuthorizations(id),
        nextLook: (tx, id) => deps.connect.nextExpiry(tx, id),
      }),
    },
    {
      name: "credentials-rotate",
      cron: "*/5 * * * *",
      run: dueWorkspaces({
        task: "credentials",
        visit: (id) => deps.connect.rotateKeys(id),
        nextLook: (tx, id) => deps.credentials.rotations.nextDue(tx, id),
      }),
    },
    {
      name: "everything-due",
      cron: "17 3 * * *",
      run: () => markAllDue(worker.withQueue, deps.clock.now()),
    },
    {
      name: "certificates-watch",
      cron: "57 2 * * *",
      run: everyWorkspace((id) => deps.connect.watchCertificates(id)),
    },
    {
      name: "keys-rotate",
      cron: "* * * * *",
      run: dueWorkspaces({
        task: "keys",
        visit: deps.workRotations,
        nextLook: (tx, id) => nextRotationWork(deps, tx, id),
      }),
    },
    {
      name: "grants-keep-alive",
      cron: "17 * * * *",
      run: everyWorkspace((id) => deps.credentials.keepGrantsAlive(id)),
    },
    {
      name: "grants-tell",
      cron: "* * * * *",
      run: dueWorkspaces({
        task: "fates",
        visit: (id) => deps.credentials.tellFates(id),
        nextLook: (tx, id) => deps.credentials.nextFate(tx, id),
      }),
    },
    { name: "inbox-prune", cron: "37 * * * *", run: everyWorkspace(deps.ingest.pruneInbox) },
    { name: "inbox-keys-retire", cron: "42 * * * *", run: everyWorkspace(deps.ingest.retireRawKeys) },
    { name: "deliveries-prune", cron: "22 * * * *", run: everyWorkspace(deps.delivery.pruneHistory) },
    {
      name: "idempotency-keys-forget",
      cron: "47 * * * *",
      run: everyWorkspace((id) =>
        forgetIdempotencyKeys({ withWorkspace: worker.withWorkspace, clock: deps.clock }, id),
      ),
    },
    {
      name: "lanes-prune",
      cron: "7 4 * * *",
      run: async () => {
        await pruneLanes(worker.withQueue, deps.clock.now());
      },
    },
    {
      name: "subscriptions-clear",
      cron: "*/5 * * * *",
      run: dueWorkspaces({
        task: "subscriptions",
        visit: deps.ingest.clearLeftSubscriptions,
        nextLook: deps.ingest.nextLeftSubscriptions,
      }),
    },
    {
      name: "audit-checkpoints",
      cron: "57 * * * *",
      run: everyWorkspace((id) =>
        writeCheckpoint({ withWorkspace: worker.withWorkspace, vault: deps.vault, clock: deps.clock }, id),
      ),
    },
    {
      name: "subscriptions-audit",
      cron: "7 3 * * *",
      run: everyWorkspace(async (workspaceId) => {
        for await (const connectionId of activeConnections(worker.withWorkspace, workspaceId)) {
          await deps.ingest.auditSubscriptions({ workspaceId, connectionId });
        }
      }),
    },
    {
      name: "inbox-partitions",
      cron: "27 * * * *",
      run: async () => {
        try {
          await ensureInboxPartitions({ asMaintenance, clock: deps.clock });
          const dropped = await dropOldInboxPartitions({ asMaintenance, clock: deps.clock }, deps.inboxRetentionDays);
          if (dropped > 0) deps.log.info({ dropped }, "inbox partitions dropped");
        } finally {
          const { withQueue } = worker;
          const health = await inboxPartitionHealth({ withQueue, clock: deps.clock }, deps.inboxRetentionDays);
          for (const warning of partitionWarnings(health)) deps.log.error({ ...health }, warning);
        }
      },
    },
  ];
}

const PAGE = 100;

async function* activeConnections(
  withWorkspace: ReturnType<Database["as"]>["withWorkspace"],
  workspaceId: WorkspaceId,
) {
  let cursor: string | undefined;
  do {
    const page = await withWorkspace(workspaceId, (tx) =>
      listConnections(tx, { workspaceId, status: "active", limit: PAGE, cursor }),
    );
    for (const { connection } of page.rows) yield connection.id;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
