import type { PatchbayEvent } from "@patchbay/shared";
import { encodeFeedCursor } from "../cursor.ts";
import type { DeliveryDeps } from "../deps.ts";
import { readFeed, type ListEventsInput } from "./list-events.ts";
import { waitForEvents } from "./wait-for-events.ts";

/** One event of a followed feed, or a pause in which none came; `cursor` goes on behind it. */
export interface Followed {
  readonly cursor: string;
  readonly event: PatchbayEvent | null;
}

export interface FollowEventsInput extends Omit<ListEventsInput, "limit"> {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How long nothing may come before a pause is told. */
  readonly pauseMs: number;
}

/** Held in memory at once for one reader, however far behind it is. */
const PAGE = 50;

/**
 * The feed without an end: first what is there, then each event as it gets its position.
 *
 * The first page is read before this resolves, so that a wrong cursor is refused rather than breaking off a stream.
 *
 * @throws AppError `invalid_cursor`, `tenant_not_found`
 */
export async function followEvents(
  deps: Pick<DeliveryDeps, "app" | "vault" | "wake">,
  input: FollowEventsInput,
): Promise<AsyncGenerator<Followed, void>> {
  const first = await readFeed(deps, { ...input, limit: PAGE });
  return follow(deps, input, first);
}

async function* follow(
  deps: Pick<DeliveryDeps, "app" | "vault" | "wake">,
  input: FollowEventsInput,
  first: Awaited<ReturnType<typeof readFeed>>,
): AsyncGenerator<Followed, void> {
  const { workspaceId, signal, pauseMs } = input;
  for (let page = first; ;) {
    for (const { place, event } of page.placed) yield { cursor: encodeFeedCursor(workspaceId, place), event };
    const after = encodeFeedCursor(workspaceId, page.end);
    while (!page.hasMore) {
      const pause = AbortSignal.any([signal, AbortSignal.timeout(pauseMs)]);
      if (await waitForEvents(deps, { workspaceId, after, signal: pause })) break;
      if (signal.aborted) return;
      yield { cursor: after, event: null };
    }
    if (signal.aborted) return;
    page = await readFeed(deps, { ...input, after, limit: PAGE });
  }
}
