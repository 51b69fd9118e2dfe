import {
  AppError,
  tenantId,
  type Page,
  type PutTenant,
  type Tenant,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, asc, eq, gt, isNull } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import type { Tx, WithWorkspace } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { tenants } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
}

/** A tenant by both its names. */
export interface TenantRef {
  readonly uid: TenantUid;
  readonly externalId: string;
}

/** Makes a tenant, or changes what is given. */
export async function putTenant(
  deps: Deps,
  input: { readonly workspaceId: WorkspaceId; readonly id: string; readonly body: PutTenant },
): Promise<Tenant> {
  const now = deps.clock.now();
  const { name, metadata } = input.body;
  const changes = {
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
  };
  return deps.withWorkspace(input.workspaceId, async (tx) => {
    const [row] = await tx
      .insert(tenants)
      .values({
        workspaceId: input.workspaceId,
        // Random, one per incarnation: a tenant made again under the same name never meets its erased self.
        uid: randomUUID() as TenantUid,
        externalId: input.id,
        ...changes,
        createdAt: now,
        updatedAt: now,
      })
      .onConflictDoUpdate({
        target: [tenants.workspaceId, tenants.externalId],
        targetWhere: isNull(tenants.erasedAt),
        set: { ...changes, updatedAt: now },
      })
      .returning();
    if (row === undefined) throw new Error("the tenant was not written");
    return toTenant(row);
  });
}

/** @throws AppError `tenant_not_found` */
export async function getTenant(
  deps: Pick<Deps, "withWorkspace">,
  input: { readonly workspaceId: WorkspaceId; readonly id: string },
): Promise<Tenant> {
  return deps.withWorkspace(input.workspaceId, async (tx) => toTenant(await findTenant(tx, input)));
}

/** Both names of a live tenant. @throws AppError `tenant_not_found` */
export async function tenantRef(
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly id: string },
): Promise<TenantRef> {
  const row = await findTenant(tx, input);
  return { uid: row.uid, externalId: row.externalId };
}

/** The host's id of a tenant that may be erased; `null` then. */
export async function tenantExternalId(
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly uid: TenantUid },
): Promise<string | null> {
  const [row] = await tx
    .select({ externalId: tenants.externalId })
    .from(tenants)
    .where(and(eq(tenants.workspaceId, input.workspaceId), eq(tenants.uid, input.uid), isNull(tenants.erasedAt)));
  return row?.externalId ?? null;
}

/**
 * Makes sure that a tenant stays until the end of the transaction: who writes on its behalf what the erasure would not
 * wait for otherwise.
 *
 * @throws AppError `tenant_not_found` when it is erased
 */
export async function holdTenant(
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly uid: TenantUid },
): Promise<void> {
  const [row] = await tx
    .select({ uid: tenants.uid })
    .from(tenants)
    .where(and(eq(tenants.workspaceId, input.workspaceId), eq(tenants.uid, input.uid), isNull(tenants.erasedAt)))
    .for("share");
  if (row === undefined) throw notFound();
}

/**
 * Leaves nothing of a tenant but its tombstone. The host may make the same id again at once: that is another tenant.
 *
 * @throws AppError `tenant_not_found`
 */
export async function buryTenant(
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly id: string; readonly now: Date },
): Promise<TenantUid> {
  const [row] = await tx
    .update(tenants)
    .set({ externalId: "", name: null, metadata: {}, updatedAt: input.now, erasedAt: input.now })
    .where(and(eq(tenants.workspaceId, input.workspaceId), eq(tenants.externalId, input.id), isNull(tenants.erasedAt)))
    .returning({ uid: tenants.uid });
  if (row === undefined) throw notFound();
  return row.uid;
}

/** Tenants by the host's id, in its order. The cursor is the last id of the page before. @throws AppError `invalid_cursor` */
export async function listTenants(
  deps: Pick<Deps, "withWorkspace">,
  input: { readonly workspaceId: WorkspaceId; readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<Tenant>> {
  const after = input.cursor === undefined ? undefined : readCursor(input.cursor);
  const rows = await deps.withWorkspace(input.workspaceId, (tx) =>
    tx
      .select()
      .from(tenants)
      .where(
        and(
          eq(tenants.workspaceId, input.workspaceId),
          isNull(tenants.erasedAt),
          after === undefined ? undefined : gt(tenants.externalId, after),
        ),
      )
      .orderBy(asc(tenants.externalId))
      .limit(input.limit + 1),
  );
  const page = rows.slice(0, input.limit);
  const last = page.at(-1);
  const hasMore = rows.length > input.limit;
  return {
    data: page.map(toTenant),
    hasMore,
    nextCursor: last === undefined || !hasMore ? null : Buffer.from(last.externalId).toString("base64url"),
  };
}

function readCursor(text: string): string {
  const parsed = tenantId.safeParse(Buffer.from(text, "base64url").toString());
  if (parsed.success) return parsed.data;
  throw new AppError("invalid_cursor", "this cursor is not one that this list gave; start without one");
}

async function findTenant(tx: Tx, input: { readonly workspaceId: WorkspaceId; readonly id: string }) {
  const [row] = await tx
    .select()
    .from(tenants)
    .where(and(eq(tenants.workspaceId, input.workspaceId), eq(tenants.externalId, input.id), isNull(tenants.erasedAt)));
  if (row === undefined) throw notFound();
  return row;
}

function notFound(): AppError {
  return new AppError("tenant_not_found", "no such tenant; make it with PUT /v1/tenants/{id}");
}

function toTenant(row: typeof tenants.$inferSelect): Tenant {
  return {
    id: row.externalId,
    name: row.name,
    metadata: row.metadata,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
