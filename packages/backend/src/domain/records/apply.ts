import type { ModelName, RecordId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { arrayParam, manyRows, sideBySide, type Tx } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { appendEvents, type NewEvent } from "../events/index.ts";
import type { Place, Sealer } from "../vault/index.ts";
import { findCandidates, type Candidate, type GoneObject } from "./candidates.ts";
import { changedFields } from "./content-hash.ts";
import { decide, type ReadInterval } from "./decide.ts";
import type { AppliedObject, RecordOwner } from "./project.ts";
import { changeCounters, records } from "./tables.ts";
import { toRecord, type RecordRow } from "./to-record.ts";

export interface ApplyInput {
  readonly owner: RecordOwner;
  /** The read that all objects and absences come from. */
  readonly read: ReadInterval;
  readonly objects: readonly AppliedObject[];
  /** Objects that the read found absent. */
  readonly gone: readonly GoneObject[];
  /** Whether the host is told record by record; first imports are not announced. */
  readonly announce: boolean;
  /** Of the tenant's `payload` key. */
  readonly sealer: Sealer;
  readonly origin?: "provider" | "write";
}

export interface ApplyResult {
  readonly counts: ReadonlyMap<ModelName, ApplyCounts>;
  /** Objects whose order could not be told: read them again. */
  readonly reread: readonly { readonly resource: string; readonly remoteId: string }[];
  readonly events: number;
}
export interface ApplyCounts {
  created: number;
  updated: number;
  deleted: number;
  unchanged: number;
}

/** Another transaction created one of the records meanwhile. Nothing was written: run the transaction again. */
export class ConcurrentApply extends Error {
  override readonly name = "ConcurrentApply";
}

/** Rows in one statement. */
const ROWS_MAX = 1_000;

/**
 * The one way into the records: run pages, webhook reads and write-back all end here.
 *
 * Compares each object with what is stored, writes what is newer, raises `version`, and tells the host, in the
 * caller's transaction. Applying the same read twice changes nothing the second time.
 *
 * Lock order: stored roots by id, stored children by id, then the tenant's change counter, then writes only.
 *
 * @throws ConcurrentApply when another transaction created one of the records first
 */
export async function apply(tx: Tx, deps: { readonly clock: Clock }, input: ApplyInput): Promise<ApplyResult> {
  const candidates = await findCandidates(tx, input);
  const plan = planWrites(candidates, input);
  if (plan.touched.length > 0) await touch(tx, input, plan.touched);
  const changes = await toChanges(tx, deps, input, plan.changed);
  const told = input.announce ? changes.map((change) => toEvent(input, change)) : [];
  await sideBySide(write(tx, changes), appendEvents(tx, input.sealer, told));
  return { counts: plan.counts, reread: plan.reread, events: told.length };
}

interface Plan {
  readonly changed: readonly Candidate[];
  readonly touched: readonly Candidate[];
  readonly reread: readonly { readonly resource: string; readonly remoteId: string }[];
  readonly counts: ReadonlyMap<ModelName, ApplyCounts>;
}

function planWrites(candidates: readonly Candidate[], input: ApplyInput): Plan {
  const changed: Candidate[] = [];
  const touched: Candidate[] = [];
  const reread = new Map<string, { resource: string; remoteId: string }>();
  const counts = new Map<ModelName, ApplyCounts>();
  for (const candidate of candidates) {
    const { stored, incoming } = candidate;
    const decision =
      stored === null
        ? "apply"
        : decide(
            {
              read: { startedAt: stored.readStartedAt, endedAt: stored.readEndedAt },
              sourceVersion: stored.sourceVersion,
              projectionVersion: stored.projectionVersion,
              hash: stored.contentHash,
              deleted: stored.deleted,
            },
            { ...incoming, read: input.read },
          );
    const count = counts.get(candidate.model) ?? { created: 0, updated: 0, deleted: 0, unchanged: 0 };
    counts.set(candidate.model, count);
    switch (decision) {
      case "apply":
        changed.push(candidate);
        count[verbOf(candidate)] += 1;
        break;
      case "touch":
        touched.push(candidate);
        count.unchanged += 1;
        break;
      case "stale":
        count.unchanged += 1;
        break;
      case "reread":
        reread.set(`${candidate.reread.resource} ${candidate.reread.remoteId}`, candidate.reread);
        break;
    }
  }
  return { changed, touched, reread: [...reread.values()], counts };
}

function verbOf({ stored, incoming }: Candidate): "created" | "updated" | "deleted" {
  if (incoming.deleted) return "deleted";
  return stored === null || stored.deleted ? "created" : "updated";
}

/** Moves the read times of records that say what we have; and the provider's time, which is not content. */
async function touch(tx: Tx, input: ApplyInput, touched: readonly Candidate[]): Promise<void> {
  const ids = touched.map((candidate) => candidate.id);
  const times = touched.map(({ incoming }) => (incoming.deleted ? null : incoming.remoteUpdatedAt));
  await tx.execute(sql`
    update records r set
      read_started_at = greatest(r.read_started_at, ${input.read.startedAt.toISOString()}::timestamptz),
      read_ended_at = greatest(r.read_ended_at, ${input.read.endedAt.toISOString()}::timestamptz),
      last_seen_at = greatest(r.last_seen_at, ${input.read.endedAt.toISOString()}::timestamptz),
      connection_id = ${input.owner.connectionId},
      remote_updated_at = coalesce(t.at::timestamptz, r.remote_updated_at),
      data = case when t.at is null then r.data else jsonb_set(r.data, '{remoteUpdatedAt}', to_jsonb(t.at)) end
    from unnest(${arrayParam(ids, "uuid")}, ${arrayParam(times, "text")}) as t (id, at)
    where r.workspace_id = ${input.owner.workspaceId} and r.id = t.id`);
}

interface Change {
  readonly candidate: Candidate;
  readonly row: RecordRow;
}

async function toChanges(
  tx: Tx,
  deps: { readonly clock: Clock },
  input: ApplyInput,
  changed: readonly Candidate[],
): Promise<readonly Change[]> {
  if (changed.length === 0) return [];
  const lastSeq = await takeSequence(tx, input.owner, changed.length);
  const now = deps.clock.now();
  return changed.map((candidate, index) => {
    const changeSeq = lastSeq - BigInt(changed.length - 1 - index);
    return { candidate, row: toRow(input, candidate, changeSeq, now) };
  });
}

async function write(tx: Tx, changes: readonly Change[]): Promise<void> {
  for (let from = 0; from < changes.length; from += ROWS_MAX) {
    const rows = changes.slice(from, from + ROWS_MAX).map((change) => change.row);
    const written = await tx
      .insert(records)
      .select(manyRows(records, rows))
      .onConflictDoUpdate({
        target: [records.workspaceId, records.id],
        set: OVERWRITE,
        // A row that was not there when we looked has version 1 on both sides: not ours to overwrite.
        setWhere: sql`${records.version} = excluded.version - 1`,
      })
      .returning({ id: records.id });
    if (written.length !== rows.length) throw new ConcurrentApply("a record was created by another transaction");
  }
}

async function takeSequence(tx: Tx, owner: RecordOwner, count: number): Promise<bigint> {
  const [row] = await tx
    .insert(changeCounters)
    .values({ workspaceId: owner.workspaceId, tenantUid: owner.tenantUid, value: BigInt(count) })
    .onConflictDoUpdate({
      target: [changeCounters.workspaceId, changeCounters.tenantUid],
      set: { value: sql`${changeCounters.value} + ${count}` },
    })
    .returning({ value: changeCounters.value });
  if (row === undefined) throw new Error("the change counter gave no value");
  return row.value;
}

function toRow(input: ApplyInput, candidate: Candidate, changeSeq: bigint, now: Date): RecordRow {
  const { stored, incoming } = candidate;
  const { owner } = input;
  const version = (stored?.version ?? 0) + 1;
  return {
    workspaceId: owner.workspaceId,
    id: candidate.id,
    tenantUid: owner.tenantUid,
    connectionId: owner.connectionId,
    provider: owner.provider,
    accountId: owner.accountId,
    mode: owner.mode,
    model: candidate.model,
    remoteId: candidate.remoteId,
    parentRemoteId: candidate.parentRemoteId,
    version,
    changeSeq,
    contentHash: incoming.hash,
    sourceVersion: incoming.sourceVersion,
    projectionVersion: incoming.projectionVersion,
    readStartedAt: input.read.startedAt,
    readEndedAt: input.read.endedAt,
    lastSeenAt: input.read.endedAt,
    firstSeenAt: stored?.firstSeenAt ?? now,
    changedAt: now,
    remoteUpdatedAt: incoming.remoteUpdatedAt === null ? null : new Date(incoming.remoteUpdatedAt),
    deleted: incoming.deleted,
    remoteDeletedAt: incoming.deleted ? now : null,
    mergedIntoId: stored?.mergedIntoId ?? null,
    data: incoming.data,
    raw: incoming.raw === null ? null : input.sealer.seal(rawPlace(candidate.id, version), incoming.raw),
    bodyKeyId: incoming.raw === null ? null : input.sealer.keyId,
  };
}

/** What a record's sealed raw is bound to. */
export function rawPlace(id: RecordId, version: number): Place {
  return { table: "records", rowId: id, column: "raw", rowVersion: version };
}

function toEvent(input: ApplyInput, { candidate, row }: Change): NewEvent {
  const { owner } = input;
  const verb = verbOf(candidate);
  const fields = verb === "updated" && candidate.stored !== null ? changedFields(candidate.stored.data, row.data) : [];
  const object = toRecord(row, owner.tenantExternalId);
  const previous = Object.fromEntries(fields.map((field) => [field, candidate.stored?.data[field] ?? null]));
  return {
    workspaceId: owner.workspaceId,
    tenantUid: owner.tenantUid,
    tenantExternalId: owner.tenantExternalId,
    connection: { id: owner.connectionId, provider: owner.provider, accountId: owner.accountId },
    type: `${candidate.model}.${verb}`,
    mode: owner.mode,
    occurredAt: row.changedAt,
    data: {
      object,
      ref: {
        object: candidate.model,
        id: object.id,
        remoteId: row.remoteId,
        version: row.version,
        changeSeq: object.changeSeq,
        url: `/v1/tenants/${encodeURIComponent(owner.tenantExternalId)}/records/${candidate.model}/${object.id}`,
      },
      changedFields: fields,
      previous,
      origin: input.origin ?? "provider",
      truncated: false,
    },
    record: { id: candidate.id, model: candidate.model, version: row.version },
  };
}

const OVERWRITE = {
  connectionId: sql`excluded.connection_id`,
  parentRemoteId: sql`excluded.parent_remote_id`,
  version: sql`excluded.version`,
  changeSeq: sql`excluded.change_seq`,
  contentHash: sql`excluded.content_hash`,
  sourceVersion: sql`excluded.source_version`,
  projectionVersion: sql`excluded.projection_version`,
  readStartedAt: sql`excluded.read_started_at`,
  readEndedAt: sql`excluded.read_ended_at`,
  lastSeenAt: sql`excluded.last_seen_at`,
  changedAt: sql`excluded.changed_at`,
  remoteUpdatedAt: sql`excluded.remote_updated_at`,
  deleted: sql`excluded.deleted`,
  remoteDeletedAt: sql`excluded.remote_deleted_at`,
  data: sql`excluded.data`,
  raw: sql`excluded.raw`,
  bodyKeyId: sql`excluded.body_key_id`,
};
