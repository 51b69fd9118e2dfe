import {
  AppError,
  DEFAULT_SCOPES,
  SCOPES_OF_ROLE,
  encodeId,
  type ApiKey,
  type ApiKeyId,
  type ApiKeyWithSecret,
  type CreateApiKey,
  type Page,
  type RotateApiKey,
  type Scope,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, desc, eq, lt } from "drizzle-orm";
import type { Tx, WithWorkspace } from "../../platform/db/index.ts";
import { isNetwork, newId, type Clock } from "../../platform/runtime/index.ts";
import { makeApiKey } from "./api-key-format.ts";
import { apiKeys, workspaces } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
}

/** What the key of a caller may do: it cannot hand out more. */
export interface Rights {
  readonly scopes: readonly Scope[];
  /** Empty: from anywhere. */
  readonly allowedNetworks: readonly string[];
  readonly expiresAt: Date | null;
}

type Row = typeof apiKeys.$inferSelect;
interface OfKey {
  readonly workspaceId: WorkspaceId;
  readonly keyId: ApiKeyId;
}

/** How long the former secret is good after a rotation, when nobody says otherwise. */
const OVERLAP_HOURS_DEFAULT = 24;
const HOUR_MS = 3_600_000;

/**
 * Makes a key. Its secret is in the answer and nowhere else.
 *
 * @param by the key of whoever asks, `null` for the operator
 * @throws AppError `workspace_not_found`; `insufficient_scope` when the new key could do more than `by`
 */
export async function createApiKey(
  deps: Deps,
  input: CreateApiKey & { readonly workspaceId: WorkspaceId; readonly by?: Rights | null },
): Promise<ApiKeyWithSecret> {
  const { workspaceId, by = null } = input;
  const rights = rightsOf(input, by);
  return deps.withWorkspace(workspaceId, async (tx) => {
    const key = makeApiKey(workspaceId, await modeOf(tx, workspaceId));
    const row: Row = {
      workspaceId,
      id: newId<ApiKeyId>(),
      publicId: key.publicId,
      secretHash: key.secretHash,
      previousSecretHash: null,
      previousSecretUntil: null,
      name: input.name,
      scopes: [...rights.scopes],
      allowedNetworks: [...rights.allowedNetworks],
      expiresAt: rights.expiresAt,
      revokedAt: null,
      lastUsedAt: null,
      createdAt: deps.clock.now(),
    };
    await tx.insert(apiKeys).values(row);
    return { ...toApiKey(row), secret: key.text.reveal() };
  });
}

/** Keys, newest first, the revoked ones too. The cursor is the last id of the page before. */
export async function listApiKeys(
  deps: Pick<Deps, "withWorkspace">,
  input: { readonly workspaceId: WorkspaceId; readonly limit: number; readonly before?: ApiKeyId | undefined },
): Promise<Page<ApiKey>> {
  const { workspaceId, limit, before } = input;
  const rows = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(apiKeys)
      .where(and(eq(apiKeys.workspaceId, workspaceId), before === undefined ? undefined : lt(apiKeys.id, before)))
      .orderBy(desc(apiKeys.id))
      .limit(limit + 1),
  );
  const data = rows.slice(0, limit).map(toApiKey);
  const hasMore = rows.length > limit;
  return { data, hasMore, nextCursor: hasMore ? (data.at(-1)?.id ?? null) : null };
}

/**
 * Gives the key a new secret; the former one stays good for the overlap. A key has two live secrets at most: one that
 * was still overlapping ends now.
 *
 * @throws AppError `api_key_not_found`; `conflict` when it is revoked or over; `insufficient_scope` when it can do more
 *   than `by`
 */
export async function rotateApiKey(
  deps: Deps,
  input: OfKey & RotateApiKey & { readonly by?: Rights | null },
): Promise<ApiKeyWithSecret> {
  const { workspaceId, by = null } = input;
  const now = deps.clock.now();
  const overlapMs = (input.overlapHours ?? OVERLAP_HOURS_DEFAULT) * HOUR_MS;
  return deps.withWorkspace(workspaceId, async (tx) => {
    const row = await lockKey(tx, input);
    if (row.revokedAt !== null || (row.expiresAt !== null && row.expiresAt <= now)) {
      throw new AppError("conflict", "this API key is revoked or expired; make a new one");
    }
    if (by !== null) refuseMore(row, by);
    const key = makeApiKey(workspaceId, await modeOf(tx, workspaceId), row.publicId);
    const after = await change(tx, input, {
      secretHash: key.secretHash,
      previousSecretHash: overlapMs === 0 ? null : row.secretHash,
      previousSecretUntil: overlapMs === 0 ? null : new Date(now.getTime() + overlapMs),
    });
    return { ...toApiKey(after), secret: key.text.reveal() };
  });
}

/** Ends the overlap of a rotation now. Said twice, it changes nothing. @throws AppError `api_key_not_found` */
export async function revokePreviousSecret(deps: Deps, input: OfKey): Promise<ApiKey> {
  return deps.withWorkspace(input.workspaceId, async (tx) => {
    await lockKey(tx, input);
    return toApiKey(await change(tx, input, { previousSecretHash: null, previousSecretUntil: null }));
  });
}

/** From the commit on no process takes the key. Said twice, it changes nothing. @throws AppError `api_key_not_found` */
export async function revokeApiKey(deps: Deps, input: OfKey): Promise<ApiKey> {
  return deps.withWorkspace(input.workspaceId, async (tx) => {
    const { revokedAt } = await lockKey(tx, input);
    const changes = { revokedAt: revokedAt ?? deps.clock.now(), previousSecretHash: null, previousSecretUntil: null };
    return toApiKey(await change(tx, input, changes));
  });
}

/** What was left out is as the caller's own key has it. */
function rightsOf(input: CreateApiKey, by: Rights | null): Rights {
  const expiresAt = input.expiresAt === undefined ? (by?.expiresAt ?? null) : new Date(input.expiresAt);
  const allowed = DEFAULT_SCOPES.filter((scope) => by === null || by.scopes.includes(scope));
  const rights = {
    scopes: input.scopes ?? (input.role === undefined ? allowed : SCOPES_OF_ROLE[input.role]),
    allowedNetworks: input.allowedNetworks ?? by?.allowedNetworks ?? [],
    expiresAt,
  };
  if (expiresAt !== null && Number.isNaN(expiresAt.getTime())) {
    throw new AppError("invalid_request", "expiresAt: no time such as 2027-01-01T00:00:00Z");
  }
  const wrong = rights.allowedNetworks.find((text) => !isNetwork(text));
  if (wrong !== undefined) {
    throw new AppError("invalid_request", `allowedNetworks: ${wrong} is no address or network such as 10.0.0.0/8`);
  }
  if (by !== null) refuseMore(rights, by);
  return rights;
}

/** @throws AppError `insufficient_scope` */
function refuseMore(key: Rights, by: Rights): void {
  const scope = key.scopes.find((each) => !by.scopes.includes(each));
  if (scope !== undefined) {
    throw new AppError("insufficient_scope", `your API key lacks the scope ${scope}, so it cannot hand it out`);
  }
  const anywhere = key.allowedNetworks.length === 0;
  if (
    by.allowedNetworks.length > 0 &&
    (anywhere || !key.allowedNetworks.every((each) => by.allowedNetworks.includes(each)))
  ) {
    throw new AppError("insufficient_scope", "your API key is bound to networks; name some of the same");
  }
  if (by.expiresAt !== null && (key.expiresAt === null || key.expiresAt > by.expiresAt)) {
    throw new AppError("insufficient_scope", "your API key expires; a key that it makes cannot outlive it");
  }
}

async function modeOf(tx: Tx, workspaceId: WorkspaceId): Promise<"live" | "test"> {
  const [workspace] = await tx.select({ mode: workspaces.mode }).from(workspaces).where(eq(workspaces.id, workspaceId));
  if (workspace === undefined) throw new AppError("workspace_not_found", "no such workspace");
  return workspace.mode;
}

async function lockKey(tx: Tx, key: OfKey): Promise<Row> {
  const [row] = await tx.select().from(apiKeys).where(ofKey(key)).for("update");
  if (row === undefined) throw new AppError("api_key_not_found", "no API key with this id in this workspace");
  return row;
}

async function change(tx: Tx, key: OfKey, changes: Partial<Row>): Promise<Row> {
  const [row] = await tx.update(apiKeys).set(changes).where(ofKey(key)).returning();
  if (row === undefined) throw new Error("the API key was not written");
  return row;
}

function ofKey({ workspaceId, keyId }: OfKey) {
  return and(eq(apiKeys.workspaceId, workspaceId), eq(apiKeys.id, keyId));
}

function toApiKey(row: Row): ApiKey {
  return {
    id: encodeId("key", row.id),
    name: row.name,
    publicId: row.publicId,
    scopes: row.scopes,
    allowedNetworks: row.allowedNetworks,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    previousSecretUntil: row.previousSecretUntil?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
