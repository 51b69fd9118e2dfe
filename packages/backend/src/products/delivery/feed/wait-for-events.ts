import type { WorkspaceId } from "@patchbay/shared";
import type { RoleDatabase } from "../../../platform/db/index.ts";
import type { Wake } from "../../../platform/lanes/index.ts";
import { decodeFeedCursor } from "../cursor.ts";
import { readHead } from "./list-events.ts";

interface Deps {
  readonly app: RoleDatabase;
  readonly wake: Pick<Wake, "on" | "hearing">;
}

/** Hints may be lost, and are while other processes cannot be heard. */
const POLL_MS = 10_000;
const POLL_DEAF_MS = 1_000;

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
    const off = deps.wake.on("feed", (about) => (about === "" || about === workspaceId) && hint());
    const timer = setTimeout(hint, deps.wake.hearing() ? POLL_MS : POLL_DEAF_MS);
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
