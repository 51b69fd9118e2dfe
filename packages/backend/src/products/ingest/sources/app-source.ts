import type { AppWebhookAddress, ProviderAppId, SourceId, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { IngestDeps } from "../deps.ts";
import { sources } from "../tables.ts";
import { sourceUrl } from "./source-path.ts";

/**
 * The address for what a provider posts about the app as a whole, made when it is first asked for.
 *
 * Its source bears the app's id, so that there is one, however many ask at once.
 *
 * @returns `null`: the provider posts nothing of the kind
 */
export async function appAddress(
  deps: Pick<IngestDeps, "app" | "connectorById" | "clock" | "publicUrl">,
  input: { readonly workspaceId: WorkspaceId; readonly provider: string; readonly providerAppId: ProviderAppId },
): Promise<AppWebhookAddress | null> {
  const { workspaceId, provider, providerAppId } = input;
  const topics = deps.connectorById(provider)?.webhooks?.appTopics ?? [];
  if (topics.length === 0) return null;
  const sourceId = sourceOfApp(providerAppId);
  const mine = and(eq(sources.workspaceId, workspaceId), eq(sources.id, sourceId));
  await deps.app.withWorkspace(workspaceId, async (tx) => {
    const [known] = await tx.select({ id: sources.id }).from(sources).where(mine);
    if (known !== undefined) return;
    await tx
      .insert(sources)
      .values({ workspaceId, id: sourceId, provider, providerAppId, connectionId: null, createdAt: deps.clock.now() })
      .onConflictDoNothing();
  });
  return { url: sourceUrl(deps.publicUrl, provider, { workspaceId, sourceId }), topics };
}

/** The brands keep the two apart everywhere else. */
function sourceOfApp(id: ProviderAppId): SourceId {
  return id as string as SourceId;
}
