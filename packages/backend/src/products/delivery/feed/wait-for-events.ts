import type { WorkspaceId } from "@patchbay/shared";
import type { RoleDatabase } from "../../../platform/db/index.ts";
import { decodeFeedCursor } from "../cursor.ts";
import type { FeedSignal } from "../deps.ts";
import { readHead } from "./list-events.ts";

interface Deps {
  readonly app: RoleDatabase;
  readonly feedSignal: FeedSignal;
}

/** Another process may sequence this workspace, and says nothing here. */
const POLL_MS = 1_000;

/**
 * Waits until the feed has grown past a cursor.
 *
 * @returns whether it has; `false` when `signal` came first
 * @throws AppError `invalid_cursor`
 */
export async function waitForEvents(
  deps: Deps,
  input: { readonly workspaceId: WorkspaceId; readonly after: string; readonly signal: AbortSignal },
): Promise<boolean> {
  const { workspaceId, signal } = input;
  const { position } = decodeFeedCursor(workspaceId, input.after);
  while (!signal.aborted) {
    let hint = () => {};
    const hinted = new Promise<void>((resolve) => (hint = resolve));
    // Listened for before looking, so that what comes in between is not missed.
    const off = deps.feedSignal.on(workspaceId, hint);
    const timer = setTimeout(hint, POLL_MS);
    signal.addEventListener("abort", hint, { once: true });
    try {
      const head = await deps.app.withWorkspace(workspaceId, (tx) => readHead(tx, workspaceId));
      if (head.position > position) return true;
      await hinted;
    } finally {
      off();
      clearTimeout(timer);
      signal.removeEventListener("abort", hint);
    }
  }
  return false;
}

/** Signals within one process. */
export function createFeedSignal(): FeedSignal {
  const listeners = new Map<WorkspaceId, Set<() => void>>();
  return {
    notify(workspaceId) {
      for (const listener of listeners.get(workspaceId) ?? []) listener();
    },
    on(workspaceId, listener) {
      const ofWorkspace = listeners.get(workspaceId) ?? new Set();
      listeners.set(workspaceId, ofWorkspace.add(listener));
      return () => {
        ofWorkspace.delete(listener);
        if (ofWorkspace.size === 0 && listeners.get(workspaceId) === ofWorkspace) listeners.delete(workspaceId);
      };
    },
  };
}
