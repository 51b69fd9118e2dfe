import type { Connection } from "../api/connections.ts";
import type { Run } from "../api/runs.ts";
import type { EndpointSnapshot } from "../api/webhook-endpoints.ts";
import { SCHEMA_VERSION, type BaseRecord } from "../models/base.ts";
import { MODELS, type ModelName } from "../models/names.ts";
import { AT, EXAMPLE_CHANGE, EXAMPLE_FACTS, EXAMPLE_FIELDS, SUFFIX } from "./example-records.ts";
import type { RECORD_VERBS } from "./types.ts";

/** A change of a record, as the catalogue shows it. */
export function exampleChange(model: ModelName, verb: (typeof RECORD_VERBS)[number]): object {
  const version = verb === "created" ? 1 : 2;
  const id = `${MODELS[model]}_${SUFFIX}`;
  const base = {
    ...EXAMPLE_FACTS,
    id,
    object: model,
    schemaVersion: SCHEMA_VERSION,
    tenantId: "acme",
    connectionId: exampleConnection({}).id,
    provider: "shopify",
    providerAccountId: exampleConnection({}).providerAccountId,
    remoteWasDeleted: verb === "deleted",
    remoteDeletedAt: verb === "deleted" ? AT : null,
    firstSeenAt: AT,
    changedAt: AT,
    version,
    changeSeq: "184467",
    contentHash: "2jmj7l5rSw0yVb_vlWAYkK_YBwk",
  } satisfies BaseRecord;
  const { field, former } = EXAMPLE_CHANGE[model];
  return {
    object: { ...base, ...EXAMPLE_FIELDS[model] },
    ref: {
      object: model,
      id,
      remoteId: EXAMPLE_FACTS.remoteId,
      version,
      changeSeq: base.changeSeq,
      url: `/v1/tenants/acme/records/${model}/${id}`,
    },
    changedFields: verb === "updated" ? [field] : [],
    previous: verb === "updated" ? { [field]: former } : {},
    origin: "provider",
    truncated: false,
  };
}

export function exampleConnection(given: Partial<Connection>): Connection {
  return {
    id: `conn_${SUFFIX}`,
    tenantId: "acme",
    provider: "shopify",
    providerAccountId: "gid://shopify/Shop/68817",
    accountName: "Acme Goods",
    accountUrl: "https://acme-goods.myshopify.com",
    mode: "live",
    status: "active",
    health: "ok",
    statusReason: null,
    models: ["customer", "order"],
    grantedScopes: ["read_customers", "read_orders"],
    createdAt: AT,
    activatedAt: AT,
    lastSyncedAt: AT,
    latestRun: null,
    ...given,
  };
}

export function exampleRun(status: Run["status"]): Run {
  const problem = status === "failed" || status === "partial" ? "missing_scope" : null;
  return {
    id: `run_${SUFFIX}`,
    connectionId: exampleConnection({}).id,
    tenantId: "acme",
    kind: "incremental",
    status,
    models: [
      {
        model: "order",
        status: status === "running" ? "running" : problem === null ? "completed" : "failed",
        done: 120,
        total: 120,
        created: 3,
        updated: 7,
        deleted: 0,
        quarantined: 0,
        problem,
      },
    ],
    createdAt: AT,
    startedAt: AT,
    finishedAt: status === "running" ? null : AT,
    problem,
  };
}

export function exampleEndpoint(given: Partial<EndpointSnapshot>): EndpointSnapshot {
  return {
    id: `we_${SUFFIX}`,
    url: "https://api.acme.example/webhooks/patchbay",
    description: null,
    types: null,
    models: null,
    providers: null,
    payload: "full",
    ratePerSecond: null,
    maxInFlight: null,
    order: "none",
    status: "enabled",
    disabledReason: null,
    createdAt: AT,
    ...given,
  };
}
