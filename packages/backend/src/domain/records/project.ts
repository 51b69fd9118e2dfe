import { MODELS, NORMALIZED_SCHEMAS, encodeId, type ModelName, type NormalizedRecord } from "@patchbay/shared";
import type { ConnectionId, TenantUid, WorkspaceId } from "@patchbay/shared";
import type { z } from "zod";
import type { NormalizeContext, Resource } from "../../connectors/kit/index.ts";
import { recordId } from "../../platform/runtime/index.ts";

/** Whose records they are. */
export interface RecordOwner {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: TenantUid;
  /** The host's own id, for events. */
  readonly tenantExternalId: string;
  readonly connectionId: ConnectionId;
  readonly provider: string;
  readonly accountId: string;
  readonly mode: "live" | "test";
  readonly accountCurrency: string | null;
}

/** One object of the provider in our words: its own record first, then its children's. */
export interface AppliedObject {
  readonly resource: Resource;
  readonly raw: unknown;
  readonly sourceVersion: bigint | null;
  readonly records: readonly NormalizedRecord[];
}

/** An object that did not fit. Only the place of the misfit is told, never a value. */
export interface RejectedItem {
  readonly resource: string;
  readonly remoteId: string | null;
  readonly issuePath: string;
  readonly issueCode: string;
  readonly item: unknown;
}

/** Raw items → records that fit their model's schema. A bad item never takes its page down. */
export function projectItems(
  resource: Resource,
  items: readonly unknown[],
  owner: RecordOwner,
): { readonly objects: readonly AppliedObject[]; readonly rejected: readonly RejectedItem[] } {
  const context = normalizeContext(owner);
  const objects: AppliedObject[] = [];
  const rejected: RejectedItem[] = [];
  for (const item of items) {
    const projected = projectItem(resource, item, context);
    if ("records" in projected) objects.push(projected);
    else rejected.push(projected);
  }
  return { objects, rejected };
}

/** The deterministic id of an object's record. */
export function recordIdOf(owner: RecordOwner, model: ModelName, remoteId: string) {
  return recordId({
    tenantUid: owner.tenantUid,
    provider: owner.provider,
    accountId: owner.accountId,
    mode: owner.mode,
    model,
    remoteId,
  });
}

function projectItem(resource: Resource, item: unknown, context: NormalizeContext): AppliedObject | RejectedItem {
  const raw = resource.raw.safeParse(item);
  if (!raw.success) return reject(resource, item, raw.error, "");
  // `normalize` takes `never` so that only what `raw` parsed may reach it: this is that place.
  const records = storable(resource.normalize(raw.data as never, context));
  for (const record of records) {
    const checked = NORMALIZED_SCHEMAS[record.model].safeParse(record.data);
    if (!checked.success) return reject(resource, item, checked.error, `${record.model}.`);
  }
  return { resource, raw: item, sourceVersion: resource.strictVersion(raw.data), records };
}

/**
 * The same with U+FFFD for characters that no text or jsonb column takes: NUL and halves of surrogate pairs. One of
 * them would keep its whole page from being stored; the raw item keeps them.
 */
function storable<Value>(value: Value): Value {
  const kept = storableValue(value);
  // Only characters of strings were exchanged.
  return kept as Value;
}

function storableValue(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed().replaceAll("\0", "\uFFFD");
  if (Array.isArray(value)) return value.map(storableValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [storableValue(name), storableValue(member)]),
  );
}

function reject(resource: Resource, item: unknown, error: z.ZodError, prefix: string): RejectedItem {
  const issue = error.issues[0];
  return {
    resource: resource.name,
    remoteId: storable(remoteIdOf(item)),
    issuePath: storable(prefix + (issue?.path.join(".") ?? "")),
    issueCode: issue?.code ?? "unknown",
    item,
  };
}

function remoteIdOf(item: unknown): string | null {
  if (typeof item !== "object" || item === null || !("id" in item)) return null;
  return typeof item.id === "string" || typeof item.id === "number" ? String(item.id) : null;
}

function normalizeContext(owner: RecordOwner): NormalizeContext {
  return {
    id: (model, remoteId) => encodeId(MODELS[model], recordIdOf(owner, model, remoteId)),
    accountCurrency: owner.accountCurrency,
  };
}
