import {
  AppError,
  MODELS,
  decodeId,
  type AnyRecord,
  type ConnectionId,
  type ModelName,
  type Page,
  type RecordId,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, asc, desc, eq, gt, isNull, or, sql } from "drizzle-orm";
import { z } from "zod";
import type { WithWorkspace } from "../../platform/db/index.ts";
import { instantParam } from "../../platform/runtime/index.ts";
import type { Vault } from "../vault/index.ts";
import { rawPlace } from "./apply.ts";
import { records } from "./tables.ts";
import { toRecord, type RecordRow } from "./to-record.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
}

export interface ListRecordsInput {
  readonly workspaceId: WorkspaceId;
  readonly tenant: { readonly uid: TenantUid; readonly externalId: string };
  readonly model: ModelName;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly provider?: string | undefined;
  readonly connectionId?: ConnectionId | undefined;
  readonly changedAfterSeq?: string | undefined;
  readonly updatedAfter?: string | undefined;
  readonly includeDeleted: boolean;
  readonly withRaw: boolean;
}

/**
 * A page of a tenant's records of one model in the order of their last change. The cursor stays valid while records
 * change: a changed record moves to the end and is seen again.
 *
 * @throws AppError `invalid_cursor`
 */
export async function listRecords(deps: Deps, input: ListRecordsInput): Promise<Page<AnyRecord>> {
  const after = input.cursor === undefined ? null : readCursor(input.cursor);
  const rows = await deps.withWorkspace(input.workspaceId, (tx) =>
    tx
      .select()
      .from(records)
      .where(
        and(
          eq(records.workspaceId, input.workspaceId),
          eq(records.tenantUid, input.tenant.uid),
          eq(records.model, input.model),
          isNull(records.mergedIntoId),
          input.includeDeleted ? undefined : eq(records.deleted, false),
          input.provider === undefined ? undefined : eq(records.provider, input.provider),
          input.connectionId === undefined ? undefined : eq(records.connectionId, input.connectionId),
          input.changedAfterSeq === undefined ? undefined : gt(records.changeSeq, sequenceOf(input.changedAfterSeq)),
          input.updatedAfter === undefined ? undefined : gt(records.remoteUpdatedAt, instantParam(input.updatedAfter)),
          after === null ? undefined : isAfter(after),
        ),
      )
      .orderBy(asc(records.changeSeq), asc(records.id))
      .limit(input.limit + 1),
  );
  const page = rows.slice(0, input.limit);
  const last = page.at(-1);
  return {
    data: await publish(deps, input, page),
    hasMore: rows.length > input.limit,
    nextCursor: last === undefined ? (input.cursor ?? null) : writeCursor(last),
  };
}

/** One record by its id (`ord_…`), or by the provider's id as `provider:remoteId`. @throws AppError `record_not_found` */
export async function getRecord(
  deps: Deps,
  input: Pick<ListRecordsInput, "workspaceId" | "tenant" | "model" | "withRaw"> & { readonly id: string },
): Promise<AnyRecord> {
  const id = decodeId(MODELS[input.model], input.id);
  const separator = input.id.indexOf(":");
  const byRemote =
    separator < 1
      ? undefined
      : and(eq(records.provider, input.id.slice(0, separator)), eq(records.remoteId, input.id.slice(separator + 1)));
  const which = id === null ? byRemote : eq(records.id, id);
  const rows =
    which === undefined
      ? []
      : await deps.withWorkspace(input.workspaceId, (tx) =>
          tx
            .select()
            .from(records)
            .where(
              and(
                eq(records.workspaceId, input.workspaceId),
                eq(records.tenantUid, input.tenant.uid),
                eq(records.model, input.model),
                which,
              ),
            )
            // Several accounts of a provider may use one id.
            .orderBy(asc(records.deleted), desc(records.changeSeq))
            .limit(1),
        );
  const [record] = await publish(deps, input, rows);
  if (record === undefined) throw new AppError("record_not_found", `no ${input.model} with this id for this tenant`);
  return record;
}

async function publish(
  deps: Deps,
  input: Pick<ListRecordsInput, "workspaceId" | "tenant" | "withRaw">,
  rows: readonly RecordRow[],
): Promise<readonly AnyRecord[]> {
  if (!input.withRaw) return rows.map((row) => toRecord(row, input.tenant.externalId));
  return Promise.all(
    rows.map(async (row) => {
      if (row.raw === null) return toRecord(row, input.tenant.externalId, null);
      const bytes = await deps.vault.open(input.workspaceId, rawPlace(row.id, row.version), row.raw);
      return toRecord(row, input.tenant.externalId, JSON.parse(Buffer.from(bytes).toString()));
    }),
  );
}

const Cursor = z.tuple([z.string().regex(/^\d{1,19}$/), z.uuid()]);

function isAfter([seq, id]: z.output<typeof Cursor>) {
  return or(
    gt(records.changeSeq, sequenceOf(seq)),
    // The cursor's id came out of a row of ours, and is only compared.
    and(eq(records.changeSeq, sequenceOf(seq)), sql`${records.id} > ${id as RecordId}`),
  );
}

const SEQUENCE_MAX = 2n ** 63n - 1n;

/** Nothing comes after the greatest number that a column can hold. */
function sequenceOf(digits: string): bigint {
  const value = BigInt(digits);
  return value > SEQUENCE_MAX ? SEQUENCE_MAX : value;
}

function writeCursor(row: RecordRow): string {
  return Buffer.from(JSON.stringify([row.changeSeq.toString(), row.id])).toString("base64url");
}

function readCursor(text: string): z.output<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
  } catch (error) {
    throw new AppError("invalid_cursor", "this cursor is not one that this list gave; start without one", {
      cause: error,
    });
  }
}
