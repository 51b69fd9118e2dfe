import { decodeUuid, encodeUuid, type SourceId, type WorkspaceId } from "@patchbay/shared";

export interface SourceRef {
  readonly workspaceId: WorkspaceId;
  readonly sourceId: SourceId;
}

/** The last segment of a source's address. It carries its workspace, as a hint that only a found row confirms. */
export function encodeSource({ workspaceId, sourceId }: SourceRef): string {
  return `src_${encodeUuid(sourceId)}_${encodeUuid(workspaceId)}`;
}

/** `null` for anything that {@link encodeSource} cannot have made. */
export function decodeSource(text: string): SourceRef | null {
  const [, source = "", workspace = ""] = /^src_([^_]{26})_([^_]{26})$/.exec(text) ?? [];
  const sourceId = decodeUuid(source);
  const workspaceId = decodeUuid(workspace);
  if (sourceId === null || workspaceId === null) return null;
  // The brands say what the ids are meant to name; whether they do is asked of the database.
  return { sourceId: sourceId as SourceId, workspaceId: workspaceId as WorkspaceId };
}

/** The address that a provider posts to. */
export function sourceUrl(publicUrl: string, provider: string, source: SourceRef): string {
  return `${publicUrl}/in/${provider}/${encodeSource(source)}`;
}
