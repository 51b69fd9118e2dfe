import {
  AppError,
  PAGE_SIZE_MAX,
  encodeId,
  type AuditActorKind,
  type AuditCheckpoint,
  type AuditEntry,
  type AuditKind,
  type Page,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, asc, desc, eq, gt, gte, lt, lte, min, sql } from "drizzle-orm";
import type { WithWorkspace } from "../../platform/db/index.ts";
import { instantParam } from "../../platform/runtime/index.ts";
import { toEntry, type EntryRow } from "./chain.ts";
import type { CheckedEntry } from "./check-chain.ts";
import { auditCheckpoints, auditEntries, auditHeads, auditSigningKeys } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
}

export interface AuditFilter {
  readonly action?: string | undefined;
  readonly actorKind?: AuditActorKind | undefined;
  readonly actorId?: string | undefined;
  readonly kind?: AuditKind | undefined;
  readonly targetId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly tenantUid?: TenantUid | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** A page of the log, newest first. @throws AppError `invalid_cursor` */
export async function listAudit(
  deps: Deps,
  input: AuditFilter & {
    readonly workspaceId: WorkspaceId;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<Page<AuditEntry>> {
  const { workspaceId, limit } = input;
  const before =
    input.cursor === undefined ? undefined : lt(auditEntries.sequence, readCursor(workspaceId, input.cursor));
  const rows = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(auditEntries)
      .where(and(eq(auditEntries.workspaceId, workspaceId), before, ...conditions(input)))
      .orderBy(desc(auditEntries.sequence))
      .limit(limit + 1),
  );
  const data = rows.slice(0, limit).map(shown);
  const hasMore = rows.length > limit;
  return { data, hasMore, nextCursor: hasMore ? writeCursor(workspaceId, data.at(-1)?.sequence ?? 0) : null };
}

/**
 * Entries with their codes, oldest first, a page at a time in memory.
 *
 * @param part.after the sequence that the first one follows
 * @param part.until the last one; default: where the log ends when it is reached
 */
export async function* readLog(
  deps: Deps,
  workspaceId: WorkspaceId,
  { after = 0, until = Number.MAX_SAFE_INTEGER }: { readonly after?: number; readonly until?: number } = {},
): AsyncGenerator<CheckedEntry & { readonly line: string }, void> {
  let from = after;
  for (;;) {
    const rows = await deps.withWorkspace(workspaceId, (tx) =>
      tx
        .select()
        .from(auditEntries)
        .where(
          and(
            eq(auditEntries.workspaceId, workspaceId),
            gt(auditEntries.sequence, from),
            lte(auditEntries.sequence, until),
          ),
        )
        .orderBy(asc(auditEntries.sequence))
        .limit(ROWS_MAX),
    );
    for (const row of rows) {
      const entry = shown(row);
      yield { entry, line: `${JSON.stringify(entry)}\n`, mac: { keyId: row.macKeyId, code: row.mac } };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_MAX) return;
    from = last.sequence;
  }
}

const ROWS_MAX = 1_000;

/** Where the chain ends, as whoever appended last has noted; `null` when nothing was entered yet. */
export async function endOfLog(
  deps: Deps,
  workspaceId: WorkspaceId,
): Promise<{ sequence: number; hash: string } | null> {
  const [head] = await deps.withWorkspace(workspaceId, (tx) =>
    tx.select().from(auditHeads).where(eq(auditHeads.workspaceId, workspaceId)),
  );
  return head === undefined ? null : { sequence: head.sequence, hash: base64url(head.hash) };
}

/**
 * The first entry that stands behind the noted end; `null`: there is none. One statement sees entries and end as one
 * commit left them, so that who appends meanwhile is no false alarm.
 */
export async function firstPastEnd(deps: Deps, workspaceId: WorkspaceId): Promise<number | null> {
  const [found] = await deps.withWorkspace(workspaceId, (tx) => {
    const end = tx
      .select({ sequence: auditHeads.sequence })
      .from(auditHeads)
      .where(eq(auditHeads.workspaceId, workspaceId));
    const pastEnd = gt(auditEntries.sequence, sql`coalesce((${end}), 0)`);
    return tx
      .select({ sequence: min(auditEntries.sequence) })
      .from(auditEntries)
      .where(and(eq(auditEntries.workspaceId, workspaceId), pastEnd));
  });
  return found?.sequence ?? null;
}

/** A page of checkpoints, newest first. @throws AppError `invalid_cursor` */
export async function listCheckpoints(
  deps: Deps,
  input: { readonly workspaceId: WorkspaceId; readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<AuditCheckpoint>> {
  const { workspaceId, limit } = input;
  const before =
    input.cursor === undefined ? undefined : lt(auditCheckpoints.sequence, readCursor(workspaceId, input.cursor));
  const key = and(
    eq(auditSigningKeys.workspaceId, auditCheckpoints.workspaceId),
    eq(auditSigningKeys.id, auditCheckpoints.signingKeyId),
  );
  const rows = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ checkpoint: auditCheckpoints, publicKey: auditSigningKeys.publicKey })
      .from(auditCheckpoints)
      .innerJoin(auditSigningKeys, key)
      .where(and(eq(auditCheckpoints.workspaceId, workspaceId), before))
      .orderBy(desc(auditCheckpoints.sequence))
      .limit(limit + 1),
  );
  const data = rows.slice(0, limit).map(({ checkpoint, publicKey }) => ({
    workspaceId: encodeId("ws", workspaceId),
    sequence: checkpoint.sequence,
    hash: base64url(checkpoint.hash),
    recordedAt: checkpoint.recordedAt.toISOString(),
    publicKey: Buffer.from(publicKey).toString("base64"),
    signature: base64url(checkpoint.signature),
  }));
  const hasMore = rows.length > limit;
  return { data, hasMore, nextCursor: hasMore ? writeCursor(workspaceId, data.at(-1)?.sequence ?? 0) : null };
}

/** All of them. A year of hours is less than 9,000. */
export async function allCheckpoints(deps: Deps, workspaceId: WorkspaceId): Promise<readonly AuditCheckpoint[]> {
  const all: AuditCheckpoint[] = [];
  let cursor: string | undefined;
  do {
    const page = await listCheckpoints(deps, { workspaceId, limit: PAGE_SIZE_MAX, cursor });
    all.push(...page.data);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

function conditions(filter: AuditFilter) {
  const is = <Column extends keyof EntryRow>(column: Column, value: EntryRow[Column] | undefined) =>
    value === undefined ? undefined : eq(auditEntries[column], value as never);
  return [
    is("action", filter.action),
    is("actorKind", filter.actorKind),
    is("actorId", filter.actorId),
    is("kind", filter.kind),
    is("targetId", filter.targetId),
    is("requestId", filter.requestId),
    is("tenantUid", filter.tenantUid),
    filter.since === undefined ? undefined : gte(auditEntries.recordedAt, instantParam(filter.since)),
    filter.until === undefined ? undefined : lt(auditEntries.recordedAt, instantParam(filter.until)),
  ];
}

function shown(row: EntryRow): AuditEntry {
  return { ...toEntry(row), hash: base64url(row.hash) };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function writeCursor(workspaceId: WorkspaceId, sequence: number): string {
  return Buffer.from(JSON.stringify([workspaceId, sequence])).toString("base64url");
}

function readCursor(workspaceId: WorkspaceId, text: string): number {
  const match = /^\["([0-9a-f-]{36})",([1-9]\d{0,14})\]$/.exec(Buffer.from(text, "base64url").toString());
  if (match?.[1] === workspaceId) return Number(match[2]);
  throw new AppError("invalid_cursor", "this cursor is not one that this list gave; start without one");
}
