import { AppError, decodeId, encodeId, type InboxFilter, type ReplayInbox, type WorkspaceId } from "@patchbay/shared";
import { audited, type Audit } from "./domain/audit/index.ts";
import { getWorkspace } from "./domain/workspaces/index.ts";
import type { RoleDatabase } from "./platform/db/index.ts";
import type { Logger } from "./platform/observability/index.ts";
import type { Clock } from "./platform/runtime/index.ts";
import { listInbox, listReplays, previewReplay, startReplay } from "./products/ingest/index.ts";

interface Deps {
  readonly app: RoleDatabase;
  readonly clock: Clock;
  readonly print: (line: string) => void;
}

type Selection = Omit<ReplayInbox, "ratePerSecond">;

const SHOWN_MAX = 100;

export async function showInbox(deps: Deps, workspaceId: WorkspaceId, filter: InboxFilter): Promise<void> {
  await getWorkspace(deps.app, workspaceId);
  const page = await listInbox(deps, { ...selectionOf(filter), workspaceId, limit: SHOWN_MAX });
  for (const entry of page.data) deps.print(JSON.stringify(entry));
  if (page.hasMore) deps.print(`… the newest ${SHOWN_MAX}; GET /v1/inbox lists all`);
}

export async function showReplays(deps: Deps, workspaceId: WorkspaceId): Promise<void> {
  await getWorkspace(deps.app, workspaceId);
  const page = await listReplays(deps, { workspaceId, limit: SHOWN_MAX });
  for (const replay of page.data) deps.print(JSON.stringify(replay));
}

/** Counts. */
export async function showReplayPreview(deps: Deps, workspaceId: WorkspaceId, filter: Selection): Promise<void> {
  await getWorkspace(deps.app, workspaceId);
  const { matches, exact } = await previewReplay(deps, { ...selectionOf(filter), workspaceId });
  deps.print(`${exact ? "" : "more than "}${matches} webhooks; with --start they are routed once more`);
}

/** Begins one, entered in the audit log as a request would be; running workers see it within a second. */
export async function beginReplay(
  deps: Deps & { readonly audit: Audit; readonly log: Logger },
  workspaceId: WorkspaceId,
  filter: Selection,
  ratePerSecond: number,
): Promise<void> {
  await getWorkspace(deps.app, workspaceId);
  const act = {
    action: "inbox.replay",
    actor: { kind: "operator", id: null },
    target: { type: "workspace", id: encodeId("ws", workspaceId) },
  } as const;
  const input = { ...selectionOf(filter), workspaceId, ratePerSecond };
  const replay = await audited(
    deps,
    workspaceId,
    act,
    () => startReplay({ ...deps, wake: { poke: () => {} } }, input),
    ({ id }) => ({ target: { type: "inbox_replay", id }, details: { ok: true } }),
  );
  deps.print(JSON.stringify(replay));
}

function selectionOf({ provider, sourceId, connectionId, status, since, until, ids }: Selection) {
  return {
    provider,
    status,
    sourceId: sourceId === undefined ? undefined : idOf("src", sourceId),
    connectionId: connectionId === undefined ? undefined : idOf("conn", connectionId),
    since: since === undefined ? undefined : new Date(since),
    until: until === undefined ? undefined : new Date(until),
    ids: ids?.map((id) => idOf("inb", id)),
  };
}

function idOf<Prefix extends "src" | "conn" | "inb">(prefix: Prefix, text: string) {
  const id = decodeId(prefix, text);
  if (id === null) throw new AppError("invalid_request", `${text} is no id that begins with ${prefix}_`);
  return id;
}
