import {
  AppError,
  REPLAY_RATE_DEFAULT,
  type InboxId,
  type InboxReplay,
  type InboxReplayPreview,
  type ReplayId,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, eq, sql } from "drizzle-orm";
import { NIL_UUID, type Tx } from "../../../platform/db/index.ts";
import { submit } from "../../../platform/lanes/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import type { IngestDeps } from "../deps.ts";
import { isInboxId } from "../inbox/inbox-id.ts";
import type { InboxSelection } from "../inbox/inbox-selection.ts";
import { inboxReplays } from "../tables.ts";
import { countInWindow } from "./scan-inbox.ts";
import { toReplay } from "./to-replay.ts";

export interface ReplayInput extends InboxSelection {
  readonly workspaceId: WorkspaceId;
  readonly ratePerSecond?: number | undefined;
}

/** Replays of one workspace at the same time. */
const RUNNING_MAX = 5;
/** Looks at the inbox until a count is given up: a million deliveries. */
const WINDOWS_MAX = 50;

/** Counts what a replay would be of. Nothing is changed. */
export async function previewReplay(
  deps: Pick<IngestDeps, "app" | "clock">,
  input: ReplayInput,
): Promise<InboxReplayPreview> {
  const wanted = { ...input, ...bounded(input, deps.clock.now()) };
  let matches = 0;
  let after: InboxId | null = null;
  for (let window = 0; window < WINDOWS_MAX; window++) {
    const counted: Awaited<ReturnType<typeof countInWindow>> = await deps.app.withWorkspace(input.workspaceId, (tx) =>
      countInWindow(tx, { ...wanted, after }),
    );
    matches += counted.matches;
    if (counted.next === null) return { matches, exact: true };
    after = counted.next;
  }
  return { matches, exact: false };
}

/**
 * Begins to route once more what fits, oldest first; workers do it. What was applied before leads to no second event:
 * objects are read again, and nothing is told of those that did not change.
 *
 * @throws AppError `conflict` while too many replays run
 */
export async function startReplay(
  deps: Pick<IngestDeps, "app" | "clock" | "log"> & { readonly wake: Pick<IngestDeps["wake"], "poke"> },
  input: ReplayInput,
): Promise<InboxReplay> {
  const { workspaceId, ids, ratePerSecond = REPLAY_RATE_DEFAULT } = input;
  const now = deps.clock.now();
  const { until, ...given } = bounded(input, now);
  const preview = await previewReplay(deps, input);
  const id = newId<ReplayId>();
  const row = await deps.app.withWorkspace(workspaceId, async (tx) => {
    await makeSureThatFewRun(tx, workspaceId);
    const [made] = await tx
      .insert(inboxReplays)
      .values({
        workspaceId,
        id,
        status: "running",
        inboxIds: given.ids === undefined ? null : [...given.ids],
        provider: input.provider ?? null,
        sourceId: input.sourceId ?? null,
        connectionId: input.connectionId ?? null,
        itemStatus: input.status ?? null,
        since: input.since ?? null,
        until,
        ratePerSecond,
        matched: preview.exact ? preview.matches : null,
        createdAt: now,
      })
      .returning();
    if (made === undefined) throw new Error("the replay was not written");
    await submit(tx, [
      {
        kind: "inboxReplay",
        workspaceId,
        tenantUid: NIL_UUID as TenantUid,
        laneId: id,
        id,
        task: "replay",
        runAt: now,
      },
    ]);
    return made;
  });
  deps.wake.poke("lanes:inboxReplay");
  deps.log.info({ workspaceId, replayId: id, ids: ids?.length ?? null, ...preview }, "inbox replay begun");
  return toReplay(row);
}

/** What arrives from now on is not of it, so that a replay ends. */
function bounded(input: ReplayInput, now: Date): { readonly until: Date; readonly ids?: readonly InboxId[] } {
  const until = input.until !== undefined && input.until < now ? input.until : now;
  return input.ids === undefined ? { until } : { until, ids: input.ids.filter(isInboxId) };
}

async function makeSureThatFewRun(tx: Tx, workspaceId: WorkspaceId): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`inbox replays ${workspaceId}`}))`);
  const running = await tx
    .select({ id: inboxReplays.id })
    .from(inboxReplays)
    .where(and(eq(inboxReplays.workspaceId, workspaceId), eq(inboxReplays.status, "running")));
  if (running.length < RUNNING_MAX) return;
  throw new AppError("conflict", `${RUNNING_MAX} replays run already; wait for one to end, or cancel it`);
}
