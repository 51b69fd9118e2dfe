import type { CredentialsDeps } from "./deps.ts";
import type { GrantRow } from "./load-grant.ts";
import { isPaused, reserveTurn, tokenLimitOf, type Turn } from "./token-budget.ts";

/** Turns that a busy process may miss in a row. */
const TURNS_MAX = 3;

/**
 * Waits for the turn at the token endpoint; one that was missed is taken anew.
 *
 * @returns until when, by this process's running time, it holds; `null` when there is none, or the endpoint asked for a
 *   pause meanwhile: nothing is sent
 */
export async function awaitTurn(deps: CredentialsDeps, row: GrantRow, first: Turn): Promise<number | null> {
  let turn = first;
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    if (turn.kind === "later") return null;
    if (turn.inMs > 0) {
      await deps.sleep(turn.inMs, NEVER);
      if (await deps.withWorkspace(row.workspaceId, (tx) => isPaused(tx, row))) return null;
    }
    if (performance.now() <= turn.sendByMs) return turn.sendByMs;
    turn = await turnNow(deps, row);
  }
  return null;
}

/** A turn that need not be waited for, if there is one. */
export function turnNow(deps: CredentialsDeps, row: GrantRow): Promise<Turn> {
  const limit = tokenLimitOf(deps.connectors[row.provider]);
  return deps.withWorkspace(row.workspaceId, (tx) => reserveTurn(tx, row, limit, 0));
}

const NEVER = new AbortController().signal;
