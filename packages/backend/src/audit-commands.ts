import { AuditCheckpoint, encodeId, type WorkspaceId } from "@patchbay/shared";
import { createPublicKey, type KeyObject } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  allCheckpoints,
  readLog,
  verifyExport,
  verifyLog,
  writeCheckpoint,
  type Audit,
  type LogReport,
} from "./domain/audit/index.ts";
import type { Vault } from "./domain/vault/index.ts";
import type { WithWorkspace } from "./platform/db/index.ts";
import { jsonOrNull, type Clock } from "./platform/runtime/index.ts";
import { PatchbayStartError } from "./start-error.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
  readonly audit: Pick<Audit, "record">;
  readonly clock: Clock;
  readonly print: (line: string) => void;
}

/** Checks logs in the database. @throws PatchbayStartError when one has a problem, so that the command fails */
export async function verifyLogs(
  deps: Deps,
  workspaceIds: readonly WorkspaceId[],
  checkpointFile: string | null,
): Promise<void> {
  const exported = checkpointFile === null ? [] : await readCheckpoints(checkpointFile);
  const known = new Set(workspaceIds.map((id) => encodeId("ws", id)));
  if (exported.some((checkpoint) => !known.has(checkpoint.workspaceId))) {
    throw new PatchbayStartError(`${checkpointFile} holds checkpoints of another workspace`);
  }
  const reports: LogReport[] = [];
  for (const workspaceId of workspaceIds) {
    const own = exported.filter((checkpoint) => checkpoint.workspaceId === encodeId("ws", workspaceId));
    reports.push(await verifyLog(deps, workspaceId, own));
  }
  judge(deps.print, reports);
}

/** Checks an exported log with exported checkpoints: no database, no secret. */
export async function verifyExportedLog(
  print: (line: string) => void,
  given: { readonly logFile: string; readonly checkpointFile: string | null; readonly publicKey: string | null },
): Promise<void> {
  if (given.publicKey !== null) checkPublicKey(given.publicKey);
  const checkpoints = given.checkpointFile === null ? [] : await readCheckpoints(given.checkpointFile);
  const [first] = checkpoints;
  if (first === undefined)
    throw new PatchbayStartError("an exported log is checked with a checkpoint; pass --checkpoint");
  const lines = createInterface({ input: createReadStream(given.logFile), crlfDelay: Number.POSITIVE_INFINITY });
  const report = await verifyExport(lines, {
    workspaceId: first.workspaceId,
    checkpoints,
    publicKeys: given.publicKey === null ? null : [given.publicKey],
  });
  judge(print, [report]);
  if (given.publicKey === null) {
    print(`Signed by ${first.publicKey}. Compare it with the key that you noted, or pass it as --public-key.`);
  }
}

/** Writes a workspace's log as lines of JSON to a file or the standard output. */
export async function exportLog(deps: Deps, workspaceId: WorkspaceId, outFile: string | null): Promise<void> {
  await deps.audit.record(workspaceId, {
    actor: { kind: "operator", id: null },
    action: "audit.export",
    target: { type: "workspace", id: encodeId("ws", workspaceId) },
  });
  const lines = Readable.from(linesOf(deps, workspaceId));
  if (outFile !== null) {
    await pipeline(lines, createWriteStream(outFile, { flags: "wx", mode: 0o600 })).catch(refuseFile(outFile));
    return deps.print(`Wrote the audit log of ${encodeId("ws", workspaceId)} to ${outFile}.`);
  }
  for await (const line of lines) deps.print(String(line).trimEnd());
}

function refuseFile(file: string) {
  return (error: unknown): never => {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") throw new PatchbayStartError(`${file} is there already; name a new file`);
    if (code === undefined) throw error;
    throw new PatchbayStartError(`${file} cannot be written (${code})`, { cause: error });
  };
}

/** Prints all checkpoints, one a line, after one of how the log stands now. */
export async function exportCheckpoints(deps: Deps, workspaceId: WorkspaceId): Promise<void> {
  await writeCheckpoint(deps, workspaceId);
  for (const checkpoint of await allCheckpoints(deps, workspaceId)) deps.print(JSON.stringify(checkpoint));
}

async function* linesOf(deps: Deps, workspaceId: WorkspaceId): AsyncGenerator<string, void> {
  for await (const { line } of readLog(deps, workspaceId)) yield line;
}

/** With what is no key, every checkpoint would look forged. */
function checkPublicKey(text: string): void {
  try {
    const key = createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
    if (key.asymmetricKeyType === "ed25519" && isAsWritten(text, key)) return;
  } catch {
    // Told of below.
  }
  throw new PatchbayStartError(
    "--public-key is not the public key of a checkpoint: pass what stands there as publicKey, base64 (MCow…)",
  );
}

function isAsWritten(text: string, key: KeyObject): boolean {
  return key.export({ format: "der", type: "spki" }).toString("base64") === text;
}

/** One a line, as `patchbay audit checkpoints` prints them. */
async function readCheckpoints(file: string): Promise<readonly AuditCheckpoint[]> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new PatchbayStartError(`${file} cannot be read`);
  });
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line, at) => {
      const parsed = AuditCheckpoint.safeParse(jsonOrNull(line));
      if (!parsed.success) throw new PatchbayStartError(`${file}:${at + 1} is no checkpoint`);
      return parsed.data;
    });
}

function judge(print: (line: string) => void, reports: readonly LogReport[]): void {
  for (const { workspaceId, entries, end, checkpoints, checkpointedTo, restores, problems } of reports) {
    const vouched =
      checkpoints === 0 ? "no checkpoint" : `${counted(checkpoints, "checkpoint")}, the last at ${checkpointedTo}`;
    const verdict = problems.length === 0 ? "intact" : counted(problems.length, "problem").toUpperCase();
    print(`${workspaceId}  ${verdict}  ${entries} entries, ${vouched}, end ${end.hash}`);
    for (const { sequence, restoredAt, backupTakenAt, lostTo } of restores) {
      const lost =
        lostTo === null ? "" : `; entries ${sequence} to ${lostTo} at least, which a checkpoint tells of, are lost`;
      print(`  at ${sequence}: RESTORED at ${restoredAt} from a backup of ${backupTakenAt}${lost}`);
    }
    for (const { sequence, problem } of problems) print(`  at ${sequence}: ${problem}`);
  }
  const broken = reports.filter(({ problems }) => problems.length > 0).length;
  if (broken > 0)
    throw new PatchbayStartError(`${broken} of ${reports.length} audit logs are not as they were written`);
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
