export { createIngest, type Ingest } from "./create-ingest.ts";
export type { ConnectionRef, IngestDeps } from "./deps.ts";
export { BODY_BYTES_MAX, type Delivery } from "./inbox/accept.ts";
export { forgetTenantSyncs, shredSources, sourcesOfTenant } from "./forget-tenant.ts";
export { latestRuns } from "./runs/latest-runs.ts";
export type { TriggerRunInput } from "./runs/trigger-run.ts";
export { decodeSource, type SourceRef } from "./sources/source-path.ts";
export * from "./tables.ts";
