import { AuditEntry, encodeId, type AuditCheckpoint, type WorkspaceId } from "@patchbay/shared";
import { eq } from "drizzle-orm";
import type { WithWorkspace } from "../../platform/db/index.ts";
import type { Vault } from "../vault/index.ts";
import type { CheckedEntry } from "./check-chain.ts";
import { checkLog, type LogReport } from "./check-log.ts";
import { allCheckpoints, endOfLog, firstPastEnd, readLog } from "./read-log.ts";
import { auditEntries } from "./tables.ts";

/**
 * Checks a workspace's log where it stands: hashes, codes, the noted end, the kept checkpoints, and those that were
 * exported and come back from outside. Only the last can show that the end was cut off together with its traces.
 */
export async function verifyLog(
  deps: { readonly withWorkspace: WithWorkspace; readonly vault: Pick<Vault, "authenticators"> },
  workspaceId: WorkspaceId,
  exported: readonly AuditCheckpoint[] = [],
): Promise<LogReport> {
  // In this order: who appends or signs meanwhile makes the log longer than the end that it is read to, never shorter.
  const kept = await allCheckpoints(deps, workspaceId);
  const end = (await endOfLog(deps, workspaceId)) ?? { sequence: 0, hash: Buffer.alloc(32).toString("base64url") };
  const keyIds = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .selectDistinct({ id: auditEntries.macKeyId })
      .from(auditEntries)
      .where(eq(auditEntries.workspaceId, workspaceId)),
  );
  const keys = await deps.vault.authenticators(
    workspaceId,
    keyIds.map(({ id }) => id),
  );
  return checkLog(readLog(deps, workspaceId, { until: end.sequence }), {
    workspaceId: encodeId("ws", workspaceId),
    end,
    firstPastEnd: await firstPastEnd(deps, workspaceId),
    checkpoints: [...kept, ...exported],
    publicKeys: null,
    codeOf: (keyId, hash) => keys.get(keyId)?.mac(hash) ?? new Uint8Array(),
  });
}

/** Checks an export with checkpoints alone, as somebody outside can: no database, no key but the public one. */
export async function verifyExport(
  lines: AsyncIterable<string>,
  given: {
    readonly workspaceId: string;
    readonly checkpoints: readonly AuditCheckpoint[];
    readonly publicKeys: readonly string[] | null;
  },
): Promise<LogReport> {
  return checkLog(parsed(lines), { ...given, end: null, firstPastEnd: null, codeOf: null });
}

async function* parsed(lines: AsyncIterable<string>): AsyncGenerator<CheckedEntry, void> {
  for await (const line of lines) if (line !== "") yield { entry: AuditEntry.parse(JSON.parse(line)) };
}
