import type { Egress } from "../../platform/egress/index.ts";
import { EgressError } from "../../platform/egress/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { RestoreDeps } from "./deps.ts";
import { latestRestore } from "./read-restore.ts";

/** Whether this process may work, or waits for the operator's word after a restore. */
export interface Hold {
  isHeld(): boolean;
  /** Resolves when it may work: at once, or when the restore is confirmed, here or elsewhere. */
  readonly released: Promise<void>;
  /** Looks now. */
  look(): Promise<void>;
  close(): void;
}

const LOOK_EVERY_MS = 1_000;

/** Nothing but a restore holds, and a restore needs the product stopped: once released, a process stays so. */
export async function watchHold(deps: Pick<RestoreDeps, "worker"> & { readonly log: Logger }): Promise<Hold> {
  const released = Promise.withResolvers<void>();
  let held = true;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    if (!held) return;
    const row = await deps.worker.withQueue(latestRestore);
    held = row !== null && row.confirmedAt === null;
    if (held) return;
    clearInterval(timer);
    released.resolve();
  };
  await look();
  if (held) {
    const lookAgain = () => look().catch((error: unknown) => deps.log.warn({ error }, "restore not looked at"));
    timer = setInterval(() => void lookAgain(), LOOK_EVERY_MS);
  }
  return { isHeld: () => held, released: released.promise, look, close: () => clearInterval(timer) };
}

/** The way out, shut while held: whatever asks is told that nobody was reached. */
export function heldEgress(egress: Egress, hold: Pick<Hold, "isHeld">): Egress {
  return {
    request: async (wanted) =>
      hold.isHeld() ? { ok: false, problem: "connection_refused", sent: false } : egress.request(wanted),
    fetchLike(policy) {
      const open = egress.fetchLike(policy);
      return async (input, init) => {
        if (hold.isHeld()) throw new EgressError("connection_refused", false);
        return open(input, init);
      };
    },
    close: () => egress.close(),
  };
}
