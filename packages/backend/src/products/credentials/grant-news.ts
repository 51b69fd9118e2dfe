import type { Database } from "../../platform/db/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { GrantTarget } from "./deps.ts";

/** Tells waiters, in this process and in others, that a grant has changed. A hint that may be lost: waiters poll too. */
export interface GrantNews {
  /** Hears from now on. */
  watch(target: GrantTarget): GrantWatch;
  /** Call after COMMIT. */
  tell(target: GrantTarget): void;
  close(): Promise<void>;
}

export interface GrantWatch extends Disposable {
  /** Resolves at the first news since the last call, else after `ms`, or when `signal` aborts. */
  next(ms: number, signal: AbortSignal): Promise<void>;
}

const CHANNEL = "patchbay_grants";

/** @param deps.database `null`: this process is the only one */
export async function createGrantNews(deps: {
  readonly database: Pick<Database, "listen" | "notify"> | null;
  readonly log: Logger;
}): Promise<GrantNews> {
  const listeners = new Map<string, Set<() => void>>();
  const here = (name: string) => {
    for (const hear of listeners.get(name) ?? []) hear();
  };
  const subscription = await deps.database?.listen(CHANNEL, {
    onWake: here,
    // What was told before was missed: let everybody look.
    onHearing: () => {
      for (const name of listeners.keys()) here(name);
    },
    onDeaf: (error) => deps.log.info({ error }, "no notifications of grants: waiters poll"),
  });

  return {
    watch(target) {
      const name = nameOf(target);
      let news = Promise.withResolvers<void>();
      const hear = () => news.resolve();
      const watching = listeners.get(name) ?? new Set();
      listeners.set(name, watching.add(hear));
      return {
        async next(ms, signal) {
          await first(news.promise, ms, signal);
          news = Promise.withResolvers();
        },
        [Symbol.dispose]() {
          watching.delete(hear);
          if (watching.size === 0 && listeners.get(name) === watching) listeners.delete(name);
        },
      };
    },
    tell(target) {
      const name = nameOf(target);
      here(name);
      deps.database
        ?.notify(CHANNEL, name)
        .catch((error: unknown) => deps.log.warn({ error }, "waiters for a grant not told"));
    },
    async close() {
      await subscription?.close();
    },
  };
}

async function first(news: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const end = () => over.resolve();
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  await Promise.race([news, over.promise]);
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}

function nameOf({ workspaceId, grantId }: GrantTarget): string {
  return `${workspaceId}:${grantId}`;
}
