import type { ModelName } from "@patchbay/shared";
import { and, eq, inArray } from "drizzle-orm";
import {
  recordIdOf,
  records,
  type AppliedObject,
  type ApplyCounts,
  type RecordOwner,
} from "../../../domain/records/index.ts";
import type { RunDeps } from "./run-context.ts";

/** Objects that are stored already, apart from those seen for the first time. */
export async function splitKnown(
  deps: Pick<RunDeps, "worker">,
  owner: RecordOwner,
  objects: readonly AppliedObject[],
): Promise<{ readonly known: readonly AppliedObject[]; readonly fresh: readonly AppliedObject[] }> {
  const idOf = ({ records: [own] }: AppliedObject) => (own ? recordIdOf(owner, own.model, own.data.remoteId) : null);
  const ids = objects.flatMap((object) => idOf(object) ?? []);
  if (ids.length === 0) return { known: [], fresh: objects };
  const rows = await deps.worker.withWorkspace(owner.workspaceId, (tx) =>
    tx
      .select({ id: records.id })
      .from(records)
      .where(and(eq(records.workspaceId, owner.workspaceId), inArray(records.id, ids))),
  );
  const stored = new Set<string | null>(rows.map((row) => row.id));
  return {
    known: objects.filter((object) => stored.has(idOf(object))),
    fresh: objects.filter((object) => !stored.has(idOf(object))),
  };
}

type Counts = ReadonlyMap<ModelName, ApplyCounts>;

export function sumCounts(one: Counts, other: Counts): Counts {
  const none: ApplyCounts = { created: 0, updated: 0, deleted: 0, unchanged: 0 };
  return new Map(
    [...new Set([...one.keys(), ...other.keys()])].map((model) => {
      const [a, b] = [one.get(model) ?? none, other.get(model) ?? none];
      const sum: ApplyCounts = {
        created: a.created + b.created,
        updated: a.updated + b.updated,
        deleted: a.deleted + b.deleted,
        unchanged: a.unchanged + b.unchanged,
      };
      return [model, sum];
    }),
  );
}
