import { AppError } from "@patchbay/shared";
import { countConnections } from "./domain/connections/index.ts";
import { KeyProviderError, keyStatus, type Keys, type RotationDeps } from "./domain/vault/index.ts";
import { listWorkspaceIds } from "./domain/workspaces/index.ts";
import type { Database, PartitionHealth } from "./platform/db/index.ts";
import type { Egress } from "./platform/egress/index.ts";
import type { Histogram, Metrics } from "./platform/observability/index.ts";
import type { Ingest } from "./products/ingest/index.ts";

/** All that the product counts, by name; `docs/operations.md` has the same list. */
export function createProductMetrics(metrics: Metrics) {
  return {
    requests: metrics.histogram({
      name: "http_server_request_duration_seconds",
      help: "Requests answered, by route and status",
      labels: ["method", "route", "status"],
    }),
    inbox: metrics.counter({
      name: "pb_inbox_received_total",
      help: "Deliveries of providers: accepted, or the code of the refusal",
      labels: ["provider", "result"],
    }),
    deliveries: metrics.counter({
      name: "pb_delivery_attempts_total",
      help: "Attempts to deliver to hosts: class of the status, or what came in the way",
      labels: ["result"],
    }),
    refreshes: metrics.counter({
      name: "pb_token_refresh_total",
      help: "Token refreshes asked of providers",
      labels: ["provider", "result"],
    }),
    blocked: metrics.counter({
      name: "pb_egress_blocked_total",
      help: "Requests to addresses that nobody may make us reach",
    }),
    cacheHits: metrics.counter({ name: "pb_dek_cache_hits_total", help: "Data keys that were at hand" }),
    cacheMisses: metrics.counter({ name: "pb_dek_cache_misses_total", help: "Data keys that were loaded" }),
    keyService: metrics.histogram({
      name: "pb_kms_duration_seconds",
      help: "Calls to key providers",
      labels: ["provider", "operation", "result"],
    }),
  };
}

/** What is read from the database when somebody looks. */
export function addGauges(
  metrics: Metrics,
  deps: {
    readonly database: Database;
    readonly rotation: RotationDeps;
    readonly inboxPartitions: () => Promise<PartitionHealth>;
    /** `null`: not held after a restore. */
    readonly heldSince: () => Promise<Date | null>;
  },
): void {
  const { rotation, database } = deps;
  metrics.gauge(
    {
      name: "pb_inbox_partition_days_ahead",
      help: "Days from today on that deliveries can be stored on; alert below 3",
    },
    async () => [{ value: (await deps.inboxPartitions()).daysAhead }],
  );
  metrics.gauge(
    { name: "pb_inbox_partitions_overdue", help: "Days of deliveries past their retention that were not dropped" },
    async () => [{ value: (await deps.inboxPartitions()).overdue }],
  );
  metrics.gauge(
    { name: "pb_restore_held_seconds", help: "Since a restore that nobody has confirmed; 0: nothing is held" },
    async () => {
      const since = await deps.heldSince();
      // A clock that was set back does not make it look released.
      return [{ value: since === null ? 0 : Math.max(1, (rotation.clock.now().getTime() - since.getTime()) / 1_000) }];
    },
  );
  metrics.gauge(
    { name: "pb_kek_rows_pending", help: "Workspace keys that the primary key version does not wrap yet" },
    async () => [{ value: (await keyStatus(rotation)).pending }],
  );
  metrics.gauge({ name: "pb_connections", help: "Connections by status", labels: ["status"] }, async () => {
    const totals = new Map<string, number>();
    for (const workspaceId of await listWorkspaceIds(rotation.database.withQueue)) {
      const counts = await rotation.database.withWorkspace(workspaceId, (tx) => countConnections(tx, workspaceId));
      for (const { status, connections } of counts) totals.set(status, (totals.get(status) ?? 0) + connections);
    }
    return [...totals].map(([status, value]) => ({ labels: { status }, value }));
  });
  metrics.gauge(
    {
      name: "pb_tenant_context_missing_total",
      help: "Statements without a workspace, which the database refused: a bug",
    },
    async () => [{ value: database.contextMissing() }],
  );
}

/** The keys, with the time that each call of a provider takes. */
export function timedKeys(keys: Keys, histogram: Histogram): Keys {
  async function timed<T>(provider: string, operation: string, asked: Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const done = (result: string) =>
      histogram.observe((performance.now() - startedMs) / 1_000, { provider, operation, result });
    try {
      const answer = await asked;
      done("ok");
      return answer;
    } catch (error) {
      done(error instanceof KeyProviderError ? error.trouble : "failed");
      throw error;
    }
  }
  return {
    ...keys,
    wrap: (key, context, kek) => timed(kek?.provider ?? keys.primary.provider, "wrap", keys.wrap(key, context, kek)),
    unwrap: (held, context) => timed(held.provider, "unwrap", keys.unwrap(held, context)),
  };
}

type Product = ReturnType<typeof createProductMetrics>;

/** The inbox door, counted. */
export function countedInbox(
  ingest: Pick<Ingest, "admit" | "accept">,
  { inbox }: Product,
  isProvider: (id: string) => boolean,
): Pick<Ingest, "admit" | "accept"> {
  // The name comes from the path, where anybody may write anything.
  const nameOf = (provider: string) => (isProvider(provider) ? provider : "unknown");
  async function refusalsCounted<T>(provider: string, asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      inbox.add({ provider: nameOf(provider), result: error instanceof AppError ? error.code : "failed" });
      throw error;
    }
  }
  return {
    admit: (input) => refusalsCounted(input.provider, ingest.admit(input)),
    async accept(delivery) {
      const result = await refusalsCounted(delivery.provider, ingest.accept(delivery));
      inbox.add({ provider: nameOf(delivery.provider), result });
      return result;
    },
  };
}

/** The way to hosts, counted. */
export function countedDeliveries(egress: Pick<Egress, "request">, { deliveries }: Product): Pick<Egress, "request"> {
  return {
    async request(wanted) {
      const result = await egress.request(wanted);
      deliveries.add({ result: result.ok ? `${Math.floor(result.status / 100)}xx` : result.problem });
      return result;
    },
  };
}
