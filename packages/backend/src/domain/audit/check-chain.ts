import type { AuditEntry, DataKeyId } from "@patchbay/shared";
import { timingSafeEqual } from "node:crypto";
import { GENESIS, chainHash } from "./chain.ts";

/** An entry as it is checked: from the database with its code, from an export without. */
export interface CheckedEntry {
  readonly entry: AuditEntry;
  readonly mac?: { readonly keyId: DataKeyId; readonly code: Uint8Array };
}

/** How far a chain was followed. */
export interface ChainState {
  readonly workspaceId: string;
  readonly sequence: number;
  readonly hash: Uint8Array;
}

export interface ChainProblem {
  /** Where it shows; what was changed may be this entry or its neighbour. */
  readonly sequence: number;
  readonly problem:
    /** An entry is missing, or in another place. */
    | "out_of_order"
    /** The entry, or its place, is not what was written. */
    | "changed"
    /** Made by somebody who has not the workspace's key. */
    | "forged"
    /** The log ends before the end that was noted, or there is another entry. */
    | "wrong_end"
    /** Entries behind the noted end: somebody put them there, or set the end back. */
    | "past_end"
    /** A checkpoint tells of another entry at this place. */
    | "not_as_checkpointed"
    /** A checkpoint tells of more entries than there are. */
    | "cut_off"
    /** A checkpoint whose signature does not hold, or of another key or workspace. */
    | "bad_checkpoint";
}

export function startOfChain(workspaceId: string): ChainState {
  return { workspaceId, sequence: 0, hash: GENESIS };
}

/**
 * Follows the chain by one entry. After a problem it goes on from what the entry says of itself, so that one change is
 * not told of again at every later entry.
 *
 * @param codeOf the HMAC of a hash; `null` for whoever has no key, and then only the hashes are checked
 */
export function followChain(
  state: ChainState,
  { entry, mac }: CheckedEntry,
  codeOf: ((keyId: DataKeyId, hash: Uint8Array) => Uint8Array) | null,
): { readonly state: ChainState; readonly problem: ChainProblem | null } {
  const { hash: written, ...facts } = entry;
  const hash = Buffer.from(written, "base64url");
  const next = { workspaceId: state.workspaceId, sequence: entry.sequence, hash };
  const found = (problem: ChainProblem["problem"] | null) => ({
    state: next,
    problem: problem === null ? null : { sequence: entry.sequence, problem },
  });
  if (entry.workspaceId !== state.workspaceId) return found("changed");
  if (entry.sequence !== state.sequence + 1) return found("out_of_order");
  if (!same(hash, chainHash(state.hash, facts))) return found("changed");
  if (codeOf !== null && (mac === undefined || !same(mac.code, codeOf(mac.keyId, hash)))) return found("forged");
  return found(null);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
