import { AppError, type SourceId, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { LRUCache } from "lru-cache";
import { getProviderApp } from "../../../domain/workspaces/index.ts";
import type { Secret } from "../../../platform/runtime/index.ts";
import type { IngestDeps } from "../deps.ts";
import { sources } from "../tables.ts";
import type { SourceRef } from "./source-path.ts";

/** What accepting a delivery needs to know of its source. */
export interface Source {
  readonly workspaceId: WorkspaceId;
  readonly id: SourceId;
  readonly provider: string;
  /** Current first; two during a rotation. */
  readonly secrets: readonly Secret[];
}

/** @returns `null`: no such source */
export type FindSource = (ref: SourceRef) => Promise<Source | null>;

/** A changed secret or a new source is seen after this long at the latest. */
const TTL_MS = 30_000;
const SOURCES_MAX = 10_000;
/** Look-ups at once. Made-up addresses must not take the database from real ones. */
const LOOKUPS_MAX = 32;
const RETRY_AFTER_SECONDS = 5;

/** Sources as last looked up; that there is none is remembered too. */
export function createSourceCache(
  deps: Pick<IngestDeps, "app" | "vault" | "clock">,
  load: FindSource = (ref) => loadSource(deps, ref),
): FindSource {
  const found = new LRUCache<string, Promise<Source | null>>({
    max: SOURCES_MAX,
    ttl: TTL_MS,
    perf: { now: () => deps.clock.now().getTime() },
  });
  let lookups = 0;
  return (ref) => {
    const key = `${ref.workspaceId} ${ref.sourceId}`;
    const known = found.get(key);
    if (known !== undefined) return known;
    if (lookups >= LOOKUPS_MAX) {
      throw new AppError("overloaded", "too many unknown sources at once", { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    lookups++;
    const loading = load(ref).finally(() => lookups--);
    found.set(key, loading);
    loading.catch(() => found.delete(key));
    return loading;
  };
}

async function loadSource(deps: Pick<IngestDeps, "app" | "vault" | "clock">, ref: SourceRef): Promise<Source | null> {
  const { workspaceId, sourceId } = ref;
  const { withWorkspace } = deps.app;
  const [row] = await withWorkspace(workspaceId, (tx) =>
    tx
      .select({ provider: sources.provider })
      .from(sources)
      .where(and(eq(sources.workspaceId, workspaceId), eq(sources.id, sourceId))),
  );
  if (row === undefined) return null;
  const app = await getProviderApp({ ...deps, withWorkspace }, { workspaceId, provider: row.provider });
  if (app === null) return null;
  const { clientSecret, previousClientSecret } = app;
  const secrets = previousClientSecret === null ? [clientSecret] : [clientSecret, previousClientSecret];
  return { workspaceId, id: sourceId, provider: row.provider, secrets };
}
