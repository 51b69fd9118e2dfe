import type { DataKeyId, WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, sql } from "drizzle-orm";
import { arrayParam } from "../../../platform/db/index.ts";
import {
  KeyDestroyedError,
  activeDataKey,
  dataKeysById,
  type DataKeySpec,
  type Purpose,
  type VaultDeps,
} from "../data-keys.ts";
import { openEnvelope, sealEnvelope, type OpenKey } from "../envelope.ts";
import { concernsAllKeys } from "../key-provider.ts";
import { placeIn, type SealedColumn } from "../sealed-column.ts";
import { dataKeys } from "../tables.ts";
import { ROTATED_PURPOSES } from "./start-rotation.ts";

/** What one step of a rotation did. */
export interface Window {
  /** The last row that was looked at; `null`: there are no more. */
  readonly last: string | null;
  /** Values under old keys. */
  readonly found: number;
  readonly renewed: number;
  /** Of those found: damaged or moved, so that their keys must stay. */
  readonly unopened: number;
}

/** Rows in one step, with their values in memory. */
const ROWS_MAX = 100;

/**
 * Seals the values of some rows anew that are sealed under old keys. A value that somebody changed meanwhile, or whose
 * row somebody holds, is left to the next pass; so is one that cannot be opened.
 */
export async function resealWindow(
  deps: VaultDeps,
  workspaceId: WorkspaceId,
  column: SealedColumn,
  after: string | null,
): Promise<Window> {
  const rows = await readWindow(deps, workspaceId, column, after);
  const old = rows.flatMap(({ id, version, key, sealed }) =>
    key === null || sealed === null ? [] : [{ id, version: Number(version), key, sealed }],
  );
  const last = rows.length < ROWS_MAX ? null : (rows.at(-1)?.id ?? null);
  if (old.length === 0) return { last, found: 0, renewed: 0, unopened: 0 };
  const { renewed, unopened } = await sealAnew(deps, workspaceId, column, old);
  return { last, found: old.length, renewed: await replace(deps, workspaceId, column, renewed), unopened };
}

interface OldValue {
  readonly id: string;
  readonly version: number;
  readonly key: DataKeyId;
  readonly sealed: Uint8Array;
}

interface RenewedValue extends OldValue {
  readonly renewed: Uint8Array;
  readonly newKey: DataKeyId;
}

/** A window of rows by their primary key, whatever they hold, so that a step costs the same however many are old. */
async function readWindow(deps: VaultDeps, workspaceId: WorkspaceId, column: SealedColumn, after: string | null) {
  const { table, id, value, version, key } = names(column);
  return deps.withWorkspace(workspaceId, (tx) =>
    tx.execute<{ id: string; version: string; key: DataKeyId | null; sealed: Uint8Array | null }>(sql`
      select w.${id}::text as id, ${version}::text as version, k.id as key,
             case when k.id is null then null else w.${value} end as sealed
      from (select * from ${table} t
            where t.workspace_id = ${workspaceId} ${after === null ? sql`` : sql`and t.${id} > ${after}`}
            order by t.${id} limit ${ROWS_MAX}) w
      left join data_keys k on k.workspace_id = ${workspaceId} and k.id = ${key} and k.state = 'decrypt_only'
        and k.purpose = any(${arrayParam([...ROTATED_PURPOSES], "text")})
      order by w.${id}`),
  );
}

async function sealAnew(
  deps: VaultDeps,
  workspaceId: WorkspaceId,
  column: SealedColumn,
  values: readonly OldValue[],
): Promise<{ readonly renewed: readonly RenewedValue[]; readonly unopened: number }> {
  const ids = [...new Set(values.map((value) => value.key))];
  const formers = await dataKeysById(deps, workspaceId, ids);
  const specs = await specsOf(deps, workspaceId, ids);
  const renewed: RenewedValue[] = [];
  let unopened = 0;
  for (const value of values) {
    const former = usable(formers.get(value.key));
    const spec = specs.get(value.key);
    if (former === "destroyed" || spec === undefined) continue;
    const place = placeIn(column, value);
    const plain = former === "damaged" ? null : openedOrNull(() => openEnvelope(former, place, value.sealed));
    if (plain === null) {
      unopened += 1;
      continue;
    }
    const key = await successorOf(deps, spec, value.key);
    if (key !== null) renewed.push({ ...value, renewed: sealEnvelope(key, place, plain), newKey: key.id });
    plain.fill(0);
  }
  return { renewed, unopened };
}

/** @throws what concerns more than this key: a key service that does not answer or says no */
function usable(key: OpenKey | Error | undefined): OpenKey | "destroyed" | "damaged" {
  if (key === undefined || key instanceof KeyDestroyedError) return "destroyed";
  if (!(key instanceof Error)) return key;
  if (concernsAllKeys(key)) throw key;
  return "damaged";
}

/** @returns null when the key was destroyed meanwhile, as with its tenant: then no other key may open its values */
async function successorOf(deps: VaultDeps, spec: DataKeySpec, former: DataKeyId): Promise<OpenKey | null> {
  try {
    return await activeDataKey(deps, spec, former);
  } catch (error) {
    if (error instanceof KeyDestroyedError) return null;
    throw error;
  }
}

/** A value that was changed or moved opens nowhere: its readers say so; the sweep goes on to the next. */
function openedOrNull(open: () => Uint8Array): Uint8Array | null {
  try {
    return open();
  } catch {
    return null;
  }
}

async function specsOf(
  deps: VaultDeps,
  workspaceId: WorkspaceId,
  ids: readonly DataKeyId[],
): Promise<ReadonlyMap<DataKeyId, DataKeySpec>> {
  const mine = and(
    eq(dataKeys.workspaceId, workspaceId),
    inArray(dataKeys.id, [...ids]),
    eq(dataKeys.state, "decrypt_only"),
  );
  const rows = await deps.withWorkspace(workspaceId, (tx) => tx.select().from(dataKeys).where(mine));
  return new Map(
    rows.map(({ id, tenantUid, purpose, scope }) => [
      id,
      { workspaceId, tenantUid, purpose: purpose as Purpose, scope } satisfies DataKeySpec,
    ]),
  );
}

/** Compare and set on the sealed bytes: each sealing has its own nonce. It never waits for a row, so it cannot deadlock. */
async function replace(
  deps: VaultDeps,
  workspaceId: WorkspaceId,
  column: SealedColumn,
  values: readonly RenewedValue[],
): Promise<number> {
  if (values.length === 0) return 0;
  const { table, id, value, idType, keyColumn } = names(column);
  const news = values.map(
    (each) => sql`(${each.id}::${idType}, ${each.sealed}::bytea, ${each.renewed}::bytea, ${each.newKey}::uuid)`,
  );
  const written = await deps.withWorkspace(workspaceId, (tx) =>
    tx.execute(sql`
      with news (id, old, renewed, key_id) as (values ${sql.join(news, sql`, `)}),
      free as (
        select t.${id} as id from ${table} t
        where t.workspace_id = ${workspaceId} and t.${id} in (select id from news)
        order by t.${id} for no key update skip locked
      )
      update ${table} t set ${value} = n.renewed ${keyColumn === null ? sql`` : sql`, ${keyColumn} = n.key_id`}
      from news n join free f on f.id = n.id
      where t.workspace_id = ${workspaceId} and t.${id} = n.id and t.${value} = n.old
      returning 1`),
  );
  return written.length;
}

/** Names come from declarations in the code, never from outside. */
function names(column: SealedColumn) {
  const value = sql.identifier(column.column);
  return {
    table: sql.identifier(column.table),
    id: sql.identifier(column.id),
    idType: sql.raw(column.idType),
    value,
    keyColumn: column.keyColumn === null ? null : sql.identifier(column.keyColumn),
    version: column.versionColumn === null ? sql`1` : sql`w.${sql.identifier(column.versionColumn)}`,
    key:
      column.keyColumn === null
        ? // Bytes 3 to 18 of an envelope.
          sql`case when octet_length(w.${value}) >= 58 then encode(substring(w.${value} from 3 for 16), 'hex')::uuid end`
        : sql`w.${sql.identifier(column.keyColumn)}`,
  };
}
