import { asc, eq, lt, sql } from "drizzle-orm";
import type { WithQueue } from "../../../platform/db/index.ts";
import type { Logger } from "../../../platform/observability/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import type { KekId, Keys } from "../keys.ts";
import { vaultNodes } from "../tables.ts";

interface Deps {
  /** As the worker role. */
  readonly withQueue: WithQueue;
}

/** A running process, and which key-encryption keys it holds. */
export interface VaultNode {
  readonly id: string;
  /** `<provider> <version>`, the one that wraps first. */
  readonly versions: readonly string[];
  readonly seenAt: Date;
}

const BEAT_MS = 10_000;
/** A process that was killed is not waited for longer. */
export const STALE_SECONDS = 45;

/** `local 2` */
export function kekName(kek: { readonly provider: string; readonly version: string }): string {
  return `${kek.provider} ${kek.version}`;
}

/**
 * Tells which keys this process holds, so that nothing is wrapped with one that it lacks. Times are the database's,
 * which all processes share.
 */
export function createNodeReport(deps: Deps & { readonly keys: Keys; readonly log: Logger }) {
  const nodeId = newId<string>();
  const versions = deps.keys.versions.map((kek: KekId) => kekName(kek));
  let timer: NodeJS.Timeout | null = null;

  async function report(): Promise<void> {
    const now = sql`now()`;
    await deps.withQueue(async (tx) => {
      await tx
        .insert(vaultNodes)
        .values({ nodeId, versions, startedAt: now, seenAt: now })
        .onConflictDoUpdate({ target: vaultNodes.nodeId, set: { seenAt: now } });
      await tx.delete(vaultNodes).where(lt(vaultNodes.seenAt, sql`now() - make_interval(secs => ${STALE_SECONDS})`));
    });
  }

  return {
    /** Before this process serves or works. */
    async start(): Promise<void> {
      await report();
      timer = setInterval(() => {
        report().catch((error: unknown) => deps.log.warn({ error }, "could not tell which keys this process holds"));
      }, BEAT_MS);
      timer.unref();
    },
    async stop(): Promise<void> {
      if (timer === null) return;
      clearInterval(timer);
      await deps.withQueue((tx) => tx.delete(vaultNodes).where(eq(vaultNodes.nodeId, nodeId)));
    },
  };
}

/** Processes that were seen lately. */
export async function listVaultNodes(deps: Deps): Promise<readonly VaultNode[]> {
  const rows = await deps.withQueue((tx) =>
    tx
      .select()
      .from(vaultNodes)
      .where(sql`${vaultNodes.seenAt} >= now() - make_interval(secs => ${STALE_SECONDS})`)
      .orderBy(asc(vaultNodes.nodeId)),
  );
  return rows.map((row) => ({ id: row.nodeId, versions: row.versions, seenAt: row.seenAt }));
}
