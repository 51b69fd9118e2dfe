import type { AuditCheckpoint, AuditEntry, DataKeyId } from "@patchbay/shared";
import { followChain, startOfChain, type ChainProblem, type CheckedEntry } from "./check-chain.ts";
import { isSigned } from "./checkpoint.ts";

/** What is held against a log. */
export interface Evidence {
  readonly workspaceId: string;
  /** The end that the database had noted before the log was read; `null` for an export. */
  readonly end: { readonly sequence: number; readonly hash: string } | null;
  /** An entry that stands behind the end that was noted at the same instant; `null`: there is none. */
  readonly firstPastEnd: number | null;
  readonly checkpoints: readonly AuditCheckpoint[];
  /** Keys that checkpoints may be signed with, base64; `null`: whatever key they name, which proves less. */
  readonly publicKeys: readonly string[] | null;
  /** As in `followChain`. */
  readonly codeOf: ((keyId: DataKeyId, hash: Uint8Array) => Uint8Array) | null;
}

export interface LogReport {
  readonly workspaceId: string;
  readonly entries: number;
  readonly end: { readonly sequence: number; readonly hash: string };
  /** Checkpoints that hold, and the last entry that one of them vouches for. */
  readonly checkpoints: number;
  readonly checkpointedTo: number;
  /** Places where the database was brought back in time, which the log itself tells. */
  readonly restores: readonly RestoreInLog[];
  /** The first {@link PROBLEMS_MAX}. */
  readonly problems: readonly ChainProblem[];
}

/** From here on the log goes on another way than before the restore. */
export interface RestoreInLog {
  /** Of the entry that tells of it. */
  readonly sequence: number;
  readonly restoredAt: string;
  readonly backupTakenAt: string;
  /** The last of the entries that checkpoints from before tell of, and that are lost; `null`: none tells of any. */
  readonly lostTo: number | null;
}

const PROBLEMS_MAX = 100;

/** Reads a log from its first entry to its last and compares it with the evidence. */
export async function checkLog(
  entries: AsyncIterable<CheckedEntry> | Iterable<CheckedEntry>,
  evidence: Evidence,
): Promise<LogReport> {
  const problems: ChainProblem[] = [];
  const note = (problem: ChainProblem | null) => {
    if (problem !== null && problems.length < PROBLEMS_MAX) problems.push(problem);
  };
  // What was kept and exported is the same statement twice.
  const told = [
    ...new Map(evidence.checkpoints.map((checkpoint) => [JSON.stringify(checkpoint), checkpoint])).values(),
  ];
  const good = told.filter((checkpoint) => {
    const holds = isGood(checkpoint, evidence);
    if (!holds) note({ sequence: checkpoint.sequence, problem: "bad_checkpoint" });
    return holds;
  });
  const vouched = Map.groupBy(good, ({ sequence }) => sequence);
  let state = startOfChain(evidence.workspaceId);
  let count = 0;
  let checkpoints = 0;
  let checkpointedTo = 0;
  const restores: RestoreInLog[] = [];
  const contradicted: AuditCheckpoint[] = [];
  for await (const entry of entries) {
    const followed = followChain(state, entry, evidence.codeOf);
    note(followed.problem);
    state = followed.state;
    count += 1;
    if (followed.problem === null && entry.entry.action === RESTORE) restores.push(restoreOf(entry.entry));
    if (evidence.end?.sequence === state.sequence && evidence.end.hash !== entry.entry.hash) {
      note({ sequence: state.sequence, problem: "wrong_end" });
    }
    for (const checkpoint of vouched.get(state.sequence) ?? []) {
      if (checkpoint.hash === entry.entry.hash) {
        checkpoints += 1;
        checkpointedTo = Math.max(checkpointedTo, state.sequence);
      } else contradicted.push(checkpoint);
    }
  }
  const end = { sequence: state.sequence, hash: Buffer.from(state.hash).toString("base64url") };
  const noted = evidence.end?.sequence ?? end.sequence;
  if (noted > end.sequence) note({ sequence: end.sequence, problem: "wrong_end" });
  if (evidence.firstPastEnd !== null) note({ sequence: evidence.firstPastEnd, problem: "past_end" });
  contradicted.push(...good.filter(({ sequence }) => sequence > end.sequence));
  // Whoever has no key takes a restore's word only when a later checkpoint has signed it.
  const believed = restores.filter(({ sequence }) => evidence.codeOf !== null || sequence <= checkpointedTo);
  const unexplained = contradicted.filter((checkpoint) => !believed.some((restore) => isBefore(checkpoint, restore)));
  for (const { sequence } of unexplained)
    if (sequence <= end.sequence) note({ sequence, problem: "not_as_checkpointed" });
  if (unexplained.some(({ sequence }) => sequence > end.sequence)) note({ sequence: end.sequence, problem: "cut_off" });
  return {
    workspaceId: evidence.workspaceId,
    entries: count,
    end,
    checkpoints,
    checkpointedTo,
    restores: believed.map((restore) => ({ ...restore, lostTo: lostTo(restore, contradicted) })),
    problems,
  };
}

/** The action of the entry that a restore makes in every log. */
const RESTORE = "database.restore";

function restoreOf({ sequence, recordedAt, details }: AuditEntry): RestoreInLog {
  const { backupTakenAt } = details;
  return { sequence, restoredAt: recordedAt, backupTakenAt: String(backupTakenAt), lostTo: null };
}

/** Whether a checkpoint speaks of the log as it went on before the restore. */
function isBefore(checkpoint: AuditCheckpoint, restore: RestoreInLog): boolean {
  return checkpoint.sequence >= restore.sequence && Date.parse(checkpoint.recordedAt) < Date.parse(restore.restoredAt);
}

function lostTo(restore: RestoreInLog, contradicted: readonly AuditCheckpoint[]): number | null {
  const lost = contradicted.filter((checkpoint) => isBefore(checkpoint, restore)).map(({ sequence }) => sequence);
  return lost.length === 0 ? null : Math.max(...lost);
}

function isGood(checkpoint: AuditCheckpoint, { workspaceId, publicKeys }: Evidence): boolean {
  if (checkpoint.workspaceId !== workspaceId) return false;
  return (publicKeys === null || publicKeys.includes(checkpoint.publicKey)) && isSigned(checkpoint);
}
