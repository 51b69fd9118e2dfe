import { AppError, PatchbayEvent, StreamEventsQuery, type WorkspaceId } from "@patchbay/shared";
import type { ApiCaller } from "../../../domain/workspaces/index.ts";
import type { Clock } from "../../../platform/runtime/index.ts";
import type { Delivery } from "../../../products/delivery/index.ts";
import { defineRoute } from "../define-route.ts";
import { bearer } from "../middleware/authenticate.ts";
import { streamBody } from "../stream-body.ts";

interface Deps {
  readonly delivery: Pick<Delivery, "feed">;
  readonly authenticate: (key: string, address: string | null) => Promise<ApiCaller | null>;
  readonly clock: Clock;
  /** Aborts when this process stops: readers go elsewhere. */
  readonly stopping: AbortSignal;
}

/** A sign of life keeps proxies from closing a quiet stream. */
const PAUSE_MS = 10_000;
/** A key that was revoked ends its stream within this time, however many events come. */
const CHECK_MS = 10_000;
/** Open streams of one workspace in one process. */
const STREAMS_MAX = 50;
const RETRY_AFTER_SECONDS = 10;

/**
 * The feed as Server-Sent Events. Each `id` is a cursor: a reader that comes again with `Last-Event-ID` misses nothing.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const eventStreamRoutes = ({ delivery: { feed }, authenticate, clock, stopping }: Deps) => {
  const open = new Map<WorkspaceId, number>();
  const enter = (workspaceId: WorkspaceId) => {
    const streams = open.get(workspaceId) ?? 0;
    if (streams >= STREAMS_MAX) {
      throw new AppError("rate_limited", `${STREAMS_MAX} streams of this workspace are open already; close some`, {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
    open.set(workspaceId, streams + 1);
  };
  const leave = (workspaceId: WorkspaceId) => {
    const streams = (open.get(workspaceId) ?? 1) - 1;
    if (streams > 0) open.set(workspaceId, streams);
    else open.delete(workspaceId);
  };

  return [
    defineRoute(
      {
        method: "get",
        path: "/v1/events/stream",
        summary: "The feed as Server-Sent Events, each event the moment it has its place; go on by Last-Event-ID",
        tag: "Events",
        scope: "events:read",
        request: { query: StreamEventsQuery },
        responses: { 200: { media: "text/event-stream", item: PatchbayEvent } },
      },
      async (c, { query }) => {
        const { workspaceId } = c.get("caller");
        const key = bearer(c.req.header("authorization")) ?? "";
        const { seconds, ...place } = query;
        const gone = new AbortController();
        const signal = AbortSignal.any([gone.signal, stopping, AbortSignal.timeout(seconds * 1_000)]);
        const after = c.req.header("last-event-id") ?? place.after;
        const followed = await feed.followEvents({ ...place, after, workspaceId, signal, pauseMs: PAUSE_MS });
        enter(workspaceId);
        return streamBody(
          c,
          "text/event-stream",
          toServerSentEvents(followed, clock, () => authenticate(key, c.get("clientAddress"))),
          () => {
            if (!gone.signal.aborted) leave(workspaceId);
            gone.abort();
          },
        );
      },
    ),
  ];
};

type Followed = Awaited<ReturnType<Delivery["feed"]["followEvents"]>>;

async function* toServerSentEvents(
  followed: Followed,
  clock: Clock,
  authenticate: () => Promise<ApiCaller | null>,
): AsyncGenerator<string, void> {
  // The headers reach the reader at once, however long the first event takes.
  yield ": patchbay\n\n";
  let checkedAt = clock.now().getTime();
  for await (const { cursor, event } of followed) {
    const now = clock.now().getTime();
    if (event === null || now - checkedAt >= CHECK_MS) {
      if ((await authenticate()) === null) return;
      checkedAt = now;
    }
    if (event === null) yield `id: ${cursor}\n\n`;
    else yield `id: ${cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  }
}
