/** Hands an item in; what came of it is the answer. */
export type Gather<Key, Item, Result> = (key: Key, item: Item) => Promise<Result>;

/**
 * Gathers what comes for a key while the batch before is under way: alone, an item goes at once; under load, many go
 * together. One batch a key at a time, in the order in which the items came.
 *
 * Holds no bound on what waits: whoever hands in waits for the answer.
 */
export function gather<Key, Item, Result>(deps: {
  /** All or nothing. @returns what came of each item, in their order */
  readonly run: (key: Key, items: readonly Item[]) => Promise<readonly Result[]>;
  readonly batchMax: number;
  /** Whether a batch that failed is tried again item by item: one of them may be at fault, and the others not. */
  readonly oneAtFault: (error: unknown) => boolean;
}): Gather<Key, Item, Result> {
  /** Of the keys at work. */
  const waiting = new Map<Key, Waiting<Item, Result>[]>();

  async function work(key: Key, queue: Waiting<Item, Result>[]): Promise<void> {
    // What is handed in at the same moment goes together.
    await new Promise(setImmediate);
    while (queue.length > 0) await answer(key, queue.splice(0, deps.batchMax));
    waiting.delete(key);
  }

  async function answer(key: Key, batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await deps.run(
        key,
        batch.map(({ item }) => item),
      );
      if (results.length !== batch.length) throw new Error(`${results.length} results for ${batch.length} items`);
      results.forEach((result, index) => batch[index]?.resolve(result));
    } catch (error) {
      if (batch.length > 1 && deps.oneAtFault(error)) {
        for (const each of batch) await answer(key, [each]);
        return;
      }
      for (const each of batch) each.reject(error);
    }
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      const mine = { item, resolve, reject };
      const queue = waiting.get(key);
      if (queue !== undefined) {
        queue.push(mine);
        return;
      }
      const fresh = [mine];
      waiting.set(key, fresh);
      void work(key, fresh);
    });
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}
