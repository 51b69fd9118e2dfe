import type { ConnectionId, ProviderAppId, SourceId, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import { sources } from "../tables.ts";

/** The source of a connection's own topics, made when there is none, opened again when it was closed. */
export async function createSource(
  tx: Tx,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly connectionId: ConnectionId;
    readonly provider: string;
    readonly providerAppId: ProviderAppId;
    readonly now: Date;
  },
): Promise<SourceId> {
  const { workspaceId, connectionId, provider, providerAppId, now } = input;
  await tx
    .insert(sources)
    .values({ workspaceId, id: newId<SourceId>(), provider, providerAppId, connectionId, createdAt: now })
    .onConflictDoNothing();
  const [row] = await tx
    .update(sources)
    .set({ disabledAt: null })
    .where(and(eq(sources.workspaceId, workspaceId), eq(sources.connectionId, connectionId)))
    .returning({ id: sources.id });
  if (row === undefined) throw new Error("the source was not written");
  return row.id;
}
