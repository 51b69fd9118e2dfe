import type { InboxId, WorkspaceId } from "@patchbay/shared";
import { createWorkLoop } from "../../../platform/lanes/index.ts";
import type { IngestDeps } from "../deps.ts";
import type { InboxPort } from "../inbox/inbox-port.ts";
import { writeOutcomes } from "./write-outcomes.ts";
import { routeBatch, type RouteDeps } from "./route-batch.ts";
import type { ArrivalRef } from "./read-arrivals.ts";
import { chunkBySize } from "./chunk-by-size.ts";

/** Moves what was accepted on to those it concerns, until stopped. Any number may run beside each other. */
export interface Router {
  start(): void;
  stop(): Promise<void>;
  /** Routes what is due now. @returns how many arrivals were looked at */
  routeDue(): Promise<number>;
}

type RouterDeps = RouteDeps & Pick<IngestDeps, "wake"> & { readonly inbox: InboxPort };

const ARRIVALS_MAX = 500;
/** A delivery that cannot be routed this often is kept in quarantine. */
const ATTEMPTS_MAX = 5;

export function createRouter(deps: RouterDeps): Router {
  const loop = createWorkLoop({
    wake: deps.wake,
    topic: "arrivals",
    log: deps.log,
    round: async () => {
      const routed = await routeDue(deps);
      return routed >= ARRIVALS_MAX ? "more" : { worked: routed > 0, dueInMs: null };
    },
  });
  return { start: () => loop.start(), stop: () => loop.stop(), routeDue: () => routeDue(deps) };
}

async function routeDue(deps: RouterDeps): Promise<number> {
  const due = await deps.inbox.due(ARRIVALS_MAX);
  for (const [workspaceId, refs] of due) {
    for (const chunk of chunkBySize(refs)) await routeChunk(deps, workspaceId, chunk);
  }
  return [...due.values()].reduce((sum, refs) => sum + refs.length, 0);
}

/** A batch that fails as a whole is tried one by one, so that a poisonous arrival stops nobody else. */
async function routeChunk(deps: RouterDeps, workspaceId: WorkspaceId, refs: readonly ArrivalRef[]): Promise<void> {
  try {
    const { arrivals } = await routeBatch(deps, workspaceId, refs, {
      again: null,
      hold: (tx) => deps.inbox.hold(tx, refs),
      end: (tx, held) => deps.inbox.end(tx, held),
    });
    deps.log.debug({ workspaceId, arrivals }, "arrivals routed");
  } catch (error) {
    const [only, ...others] = refs;
    if (only === undefined) return;
    if (others.length === 0) return putOff(deps, workspaceId, only, error);
    for (const ref of refs) await routeChunk(deps, workspaceId, [ref]);
  }
}

/** Later again, further apart each time; in the end into quarantine, so that nothing is tried for ever. */
async function putOff(deps: RouterDeps, workspaceId: WorkspaceId, ref: ArrivalRef, error: unknown): Promise<void> {
  const now = deps.clock.now();
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const attempts = await deps.inbox.putOff(tx, ref, now);
    if (attempts === null) return;
    deps.log.error({ error, workspaceId, inboxId: ref.id, attempts }, "arrival not routed");
    if (attempts < ATTEMPTS_MAX) return;
    await writeOutcomes(tx, { workspaceId, outcomes: [quarantined(ref)], again: false, now });
    await deps.inbox.end(tx, new Set<InboxId>([ref.id]));
  });
}

function quarantined({ id, receivedAt }: ArrivalRef) {
  return {
    inboxId: id,
    receivedAt,
    element: 0,
    status: "quarantined",
    problem: "routing_failed",
    topic: null,
    connection: null,
    waitsFor: null,
  } as const;
}
