import type { AuditCheckpoint, DataKeyId } from "@patchbay/shared";
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
  /** The first {@link PROBLEMS_MAX}. */
  readonly problems: readonly ChainProblem[];
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
  for await (const entry of entries) {
    const followed = followChain(state, entry, evidence.codeOf);
    note(followed.problem);
    state = followed.state;
    count += 1;
    if (evidence.end?.sequence === state.sequence && evidence.end.hash !== entry.entry.hash) {
      note({ sequence: state.sequence, problem: "wrong_end" });
    }
    for (const checkpoint of vouched.get(state.sequence) ?? []) {
      if (checkpoint.hash === entry.entry.hash) {
        checkpoints += 1;
        checkpointedTo = Math.max(checkpointedTo, state.sequence);
      } else note({ sequence: state.sequence, problem: "not_as_checkpointed" });
    }
  }
  const end = { sequence: state.sequence, hash: Buffer.from(state.hash).toString("base64url") };
  const noted = evidence.end?.sequence ?? end.sequence;
  if (noted > end.sequence) note({ sequence: end.sequence, problem: "wrong_end" });
  if (evidence.firstPastEnd !== null) note({ sequence: evidence.firstPastEnd, problem: "past_end" });
  const furthest = Math.max(0, ...good.map(({ sequence }) => sequence));
  if (furthest > end.sequence) note({ sequence: end.sequence, problem: "cut_off" });
  return { workspaceId: evidence.workspaceId, entries: count, end, checkpoints, checkpointedTo, problems };
}

function isGood(checkpoint: AuditCheckpoint, { workspaceId, publicKeys }: Evidence): boolean {
  if (checkpoint.workspaceId !== workspaceId) return false;
  return (publicKeys === null || publicKeys.includes(checkpoint.publicKey)) && isSigned(checkpoint);
}
