import {
  AppError,
  decodeId,
  encodeId,
  type Erasure,
  type ErasureId,
  type Page,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, desc, eq, lt } from "drizzle-orm";
import type { ErasureDeps } from "./deps.ts";
import { toReceipt } from "./receipt.ts";
import { erasures } from "./tables.ts";

/** @throws AppError `erasure_not_found` */
export async function getErasure(
  deps: Pick<ErasureDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly erasureId: ErasureId },
): Promise<Erasure> {
  const { workspaceId, erasureId } = input;
  const [row] = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(erasures)
      .where(and(eq(erasures.workspaceId, workspaceId), eq(erasures.id, erasureId))),
  );
  if (row === undefined) throw new AppError("erasure_not_found", "no erasure with this id in this workspace");
  return toReceipt(row);
}

/** Newest first. @throws AppError `invalid_cursor` */
export async function listErasures(
  deps: Pick<ErasureDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<Erasure>> {
  const { workspaceId, limit } = input;
  const before = input.cursor === undefined ? undefined : decodeId("era", input.cursor);
  if (before === null) throw new AppError("invalid_cursor", "not a cursor of this list");
  const rows = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(erasures)
      .where(and(eq(erasures.workspaceId, workspaceId), before === undefined ? undefined : lt(erasures.id, before)))
      .orderBy(desc(erasures.id))
      .limit(limit + 1),
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  return { data: page.map(toReceipt), hasMore, nextCursor: hasMore && last ? encodeId("era", last.id) : null };
}
