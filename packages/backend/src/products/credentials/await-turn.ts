import type { Claimed } from "./claim-refresh.ts";
import type { CredentialsDeps } from "./deps.ts";
import { isPaused, reserveTurn, tokenLimitOf, type Turn } from "./token-budget.ts";

/** Turns that a busy process may miss in a row. */
const TURNS_MAX = 3;

/**
 * Waits for the turn at the token endpoint; one that was missed is taken anew.
 *
 * @returns false when there is none, or the endpoint asked for a pause meanwhile: nothing is sent
 */
export async function awaitTurn(deps: CredentialsDeps, claim: Claimed): Promise<boolean> {
  const { row } = claim;
  let turn: Turn = claim.turn;
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    if (turn.kind === "later") return false;
    if (turn.inMs > 0) {
      await deps.sleep(turn.inMs, NEVER);
      if (await deps.withWorkspace(row.workspaceId, (tx) => isPaused(tx, row))) return false;
    }
    if (performance.now() <= turn.sendByMs) return true;
    const limit = tokenLimitOf(deps.connectors[row.provider]);
    turn = await deps.withWorkspace(row.workspaceId, (tx) => reserveTurn(tx, row, limit, 0));
  }
  return turn.kind === "reserved" && performance.now() <= turn.sendByMs;
}

const NEVER = new AbortController().signal;
