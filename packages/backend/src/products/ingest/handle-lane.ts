import type { ClaimedLane, LaneItem } from "../../platform/lanes/index.ts";
import { sideBySide } from "../../platform/db/index.ts";
import { LeaseLost } from "../../platform/lanes/index.ts";
import { backOff } from "./backoff.ts";
import { checkAccount } from "./check-account.ts";
import type { IngestDeps } from "./deps.ts";
import { endWork } from "./end-work.ts";
import { dueMarks, fetchDirty, type Mark } from "./fetcher/fetch-dirty.ts";
import { type LaneConnection, readLaneConnection } from "./lane-connection.ts";
import { routeParked } from "./router/route-parked.ts";
import { afterRunError } from "./runs/after-error.ts";
import { workRun } from "./runs/work-run.ts";
import { activate } from "./subscriptions/activate.ts";
import { TASKS, type Task } from "./tasks.ts";

/** Short work first: what webhooks wait for goes before a run that may take its whole slice. */
const ORDER: readonly Task[] = ["confirmUninstall", "checkAccount", "activate", "fetch", "routeParked", "run"];

/** Works the due items of one connection, one after the other. */
export async function handleLane(deps: IngestDeps, lane: ClaimedLane): Promise<void> {
  const rank = (item: LaneItem) => ORDER.indexOf(taskOf(item));
  for (const item of lane.items.toSorted((a, b) => rank(a) - rank(b))) {
    if (lane.signal.aborted) return;
    // Read again for each: the one before may have changed it.
    const [connection, marks] = await deps.worker.withWorkspace(lane.key.workspaceId, (tx) =>
      sideBySide(
        readLaneConnection(tx, deps, lane.key),
        taskOf(item) === "fetch" ? dueMarks(tx, deps, lane.key) : NONE,
      ),
    );
    if (connection === null) return endWork(deps, lane);
    await work(deps, lane, item, { connection, marks });
  }
}

const NONE: Promise<readonly Mark[]> = Promise.resolve([]);

interface Loaded {
  readonly connection: LaneConnection;
  /** Of a fetch. */
  readonly marks: readonly Mark[];
}

async function work(deps: IngestDeps, lane: ClaimedLane, item: LaneItem, { connection, marks }: Loaded): Promise<void> {
  const task = taskOf(item);
  try {
    switch (task) {
      case "confirmUninstall":
      case "checkAccount":
        return await checkAccount(deps, lane, item, connection);
      case "activate":
        return await activate(deps, lane, item, connection);
      case "routeParked":
        return await routeParked(deps, lane, item, connection);
      case "fetch":
        return await fetchDirty(deps, lane, item, connection, marks);
      case "run":
        return await workRun(deps, lane, item, connection);
    }
  } catch (error) {
    if (error instanceof LeaseLost || lane.signal.aborted) throw error;
    // Our own fault: later again, further apart each time, and the lane's other work goes on.
    deps.log.error({ error, ...connection.lane, task, attempts: item.attempts }, "lane item failed");
    if (task === "run") return afterRunError(deps, lane, item);
    const at = backOff(deps.clock.now(), item.attempts);
    await deps.worker.withWorkspace(lane.key.workspaceId, (tx) => lane.settle(tx, [{ id: item.id, outcome: { at } }]));
  }
}

function taskOf(item: LaneItem): Task {
  const task = TASKS.find((known) => known === item.task);
  if (task === undefined) throw new Error(`unknown task ${item.task}`);
  return task;
}
