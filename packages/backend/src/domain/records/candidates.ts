import type { ModelName, RecordId } from "@patchbay/shared";
import { and, asc, eq, or } from "drizzle-orm";
import { isOneOf, sideBySide, type Tx } from "../../platform/db/index.ts";
import { contentHash } from "./content-hash.ts";
import { recordIdOf, type AppliedObject, type RecordOwner } from "./project.ts";
import { records } from "./tables.ts";
import type { RecordRow } from "./to-record.ts";

/** One record that a read speaks of, beside what is stored of it. */
export interface Candidate {
  readonly id: RecordId;
  readonly model: ModelName;
  readonly remoteId: string;
  readonly parentRemoteId: string | null;
  /** Locked; `null`: not known yet. */
  readonly stored: RecordRow | null;
  readonly incoming: Incoming;
  /** What to read again when the order cannot be told: the object itself or its parent. */
  readonly reread: { readonly resource: string; readonly remoteId: string };
}

/** An object that a read found absent. */
export interface GoneObject {
  readonly model: ModelName;
  readonly remoteId: string;
  /** Name of the resource to read it again through. */
  readonly resource: string;
}

export interface Incoming {
  readonly deleted: boolean;
  readonly data: Record<string, unknown>;
  readonly hash: Uint8Array;
  readonly sourceVersion: bigint | null;
  readonly projectionVersion: number;
  readonly remoteUpdatedAt: string | null;
  /** What the provider sent, as bytes; `null` for children and deletions. */
  readonly raw: Uint8Array | null;
}

/**
 * Every record that the read speaks of, stored rows locked, roots by id and then children by id: the objects, their children, children that a
 * complete parent no longer has, and what the read found absent with all its children. One candidate a record, sorted
 * by id.
 */
export async function findCandidates(
  tx: Tx,
  input: {
    readonly owner: RecordOwner;
    readonly objects: readonly AppliedObject[];
    readonly gone: readonly GoneObject[];
  },
): Promise<readonly Candidate[]> {
  const present = presentCandidates(input.owner, input.objects);
  const spokenOf = [
    ...[...present.values()].map(({ id, model }) => ({ id, model })),
    ...input.gone.map(({ model, remoteId }) => ({ id: recordIdOf(input.owner, model, remoteId), model })),
  ];
  const [children, roots] = partition(spokenOf, ({ model }) => IS_CHILD.has(model));
  const [storedRoots, storedChildren] = await sideBySide(
    lockRows(tx, input.owner, roots),
    // Looked for with the parents in hand: until then, others may add some.
    findChildren(tx, input),
  );
  const childIds = [...children, ...storedChildren.map(({ id }) => id)];
  const lockedChildren = childIds.length === 0 ? [] : await lockRows(tx, input.owner, childIds);
  const stored = new Map([...storedRoots, ...lockedChildren].map((row) => [row.id, row]));
  const ids = [...new Set([...roots, ...childIds])].sort();
  const resources = resourcesByRemoteId(input);
  return ids.flatMap((id) => {
    const row = stored.get(id) ?? null;
    const candidate = present.get(id);
    if (candidate !== undefined) return [{ ...candidate, stored: row }];
    return row === null || row.deleted ? [] : [deletion(row, resources)];
  });
}

function presentCandidates(
  owner: RecordOwner,
  objects: readonly AppliedObject[],
): ReadonlyMap<RecordId, Omit<Candidate, "stored">> {
  const found = new Map<RecordId, Omit<Candidate, "stored">>();
  for (const object of objects) {
    const parent = object.records[0];
    if (parent === undefined) continue;
    for (const record of object.records) {
      const isParent = record === parent;
      const id = recordIdOf(owner, record.model, record.data.remoteId);
      const data: Record<string, unknown> = { ...record.data };
      found.set(id, {
        id,
        model: record.model,
        remoteId: record.data.remoteId,
        parentRemoteId: isParent ? null : parent.data.remoteId,
        incoming: {
          deleted: false,
          data,
          hash: contentHash(data),
          sourceVersion: isParent ? object.sourceVersion : null,
          projectionVersion: object.resource.projectionVersion,
          remoteUpdatedAt: record.data.remoteUpdatedAt,
          raw: isParent ? Buffer.from(JSON.stringify(object.raw)) : null,
        },
        reread: { resource: object.resource.name, remoteId: parent.data.remoteId },
      });
    }
  }
  return found;
}

/** Stored children of complete parents and of absent objects. */
function findChildren(
  tx: Tx,
  input: {
    readonly owner: RecordOwner;
    readonly objects: readonly AppliedObject[];
    readonly gone: readonly GoneObject[];
  },
) {
  const byModel = new Map<ModelName, string[]>();
  for (const object of input.objects) {
    const parent = object.records[0];
    if (parent === undefined) continue;
    for (const model of object.resource.completeChildren) {
      byModel.set(model, [...(byModel.get(model) ?? []), parent.data.remoteId]);
    }
  }
  for (const { model, remoteId } of input.gone) {
    for (const child of CHILD_MODELS[model] ?? []) byModel.set(child, [...(byModel.get(child) ?? []), remoteId]);
  }
  if (byModel.size === 0) return NONE;
  const { owner } = input;
  return tx
    .select({ id: records.id })
    .from(records)
    .where(
      and(
        eq(records.workspaceId, owner.workspaceId),
        eq(records.tenantUid, owner.tenantUid),
        eq(records.accountId, owner.accountId),
        eq(records.provider, owner.provider),
        eq(records.mode, owner.mode),
        eq(records.deleted, false),
        or(
          ...[...byModel].map(([model, parents]) =>
            and(eq(records.model, model), isOneOf(records.parentRemoteId, parents)),
          ),
        ),
      ),
    );
}

const NONE: Promise<{ readonly id: RecordId }[]> = Promise.resolve([]);

/** Models that live and die with another. */
const CHILD_MODELS: Readonly<Partial<Record<ModelName, readonly ModelName[]>>> = {
  product: ["variant"],
  order: ["refund"],
};

const IS_CHILD: ReadonlySet<ModelName> = new Set(Object.values(CHILD_MODELS).flat());

function partition<Item extends { readonly id: RecordId }>(
  items: readonly Item[],
  isFirst: (item: Item) => boolean,
): readonly [readonly RecordId[], readonly RecordId[]] {
  const { first = [], second = [] } = Object.groupBy(items, (item) => (isFirst(item) ? "first" : "second"));
  return [first.map(({ id }) => id), second.map(({ id }) => id)];
}

function lockRows(tx: Tx, owner: RecordOwner, ids: readonly RecordId[]) {
  return tx
    .select()
    .from(records)
    .where(and(eq(records.workspaceId, owner.workspaceId), isOneOf(records.id, ids)))
    .orderBy(asc(records.id))
    .for("update");
}

/** Resource through which an object is read, by its remote id; children are read through their parents. */
function resourcesByRemoteId(input: {
  readonly objects: readonly AppliedObject[];
  readonly gone: readonly GoneObject[];
}): ReadonlyMap<string, string> {
  const names = new Map(input.gone.map((gone) => [gone.remoteId, gone.resource]));
  for (const { records: own, resource } of input.objects) {
    if (own[0] !== undefined) names.set(own[0].data.remoteId, resource.name);
  }
  return names;
}

function deletion(row: RecordRow, resources: ReadonlyMap<string, string>): Candidate {
  const remoteId = row.parentRemoteId ?? row.remoteId;
  return {
    id: row.id,
    model: row.model,
    remoteId: row.remoteId,
    parentRemoteId: row.parentRemoteId,
    stored: row,
    incoming: {
      deleted: true,
      data: row.data,
      hash: row.contentHash,
      sourceVersion: null,
      projectionVersion: row.projectionVersion,
      remoteUpdatedAt: row.remoteUpdatedAt?.toISOString() ?? null,
      raw: null,
    },
    reread: { resource: resources.get(remoteId) ?? row.model, remoteId },
  };
}
