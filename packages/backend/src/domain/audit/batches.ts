import { AppError, type WorkspaceId } from "@patchbay/shared";

/** Puts what arrives during a commit into the next one, workspace by workspace. */
export interface Batches<Item> {
  /** Resolves when the item is committed. @throws AppError `overloaded` when too much waits already */
  add(workspaceId: WorkspaceId, item: Item): Promise<void>;
}

/** Entries of one transaction: its statement stays below Postgres's 65,535 parameters. */
const BATCH_MAX = 200;
/** Of one workspace. At 200 a commit these are over within seconds. */
const WAITING_MAX = 2_000;

interface Waiting<Item> {
  readonly item: Item;
  readonly done: PromiseWithResolvers<void>;
}

/** @param write one transaction; when it fails, all of its items fail */
export function createBatches<Item>(
  write: (workspaceId: WorkspaceId, items: readonly Item[]) => Promise<void>,
): Batches<Item> {
  const queues = new Map<WorkspaceId, Waiting<Item>[]>();

  async function work(workspaceId: WorkspaceId, queue: Waiting<Item>[]): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, BATCH_MAX);
      try {
        await write(
          workspaceId,
          batch.map(({ item }) => item),
        );
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    queues.delete(workspaceId);
  }

  return {
    add(workspaceId, item) {
      const done = Promise.withResolvers<void>();
      const queue = queues.get(workspaceId);
      if (queue === undefined) {
        const fresh = [{ item, done }];
        queues.set(workspaceId, fresh);
        void work(workspaceId, fresh);
      } else if (queue.length < WAITING_MAX) {
        queue.push({ item, done });
      } else {
        done.reject(new AppError("overloaded", "too many changes of this workspace at once", { retryAfterSeconds: 1 }));
      }
      return done.promise;
    },
  };
}
