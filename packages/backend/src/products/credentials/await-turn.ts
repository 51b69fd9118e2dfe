import type { Claimed } from "./claim-refresh.ts";
import type { CredentialsDeps } from "./deps.ts";
import { isPaused } from "./token-budget.ts";

/** @returns false when the endpoint asked for a pause meanwhile: nothing is sent */
export async function awaitTurn(deps: CredentialsDeps, { row, turnInMs }: Claimed): Promise<boolean> {
  if (turnInMs === 0) return true;
  await deps.sleep(turnInMs, NEVER);
  return deps.withWorkspace(row.workspaceId, async (tx) => !(await isPaused(tx, row)));
}

const NEVER = new AbortController().signal;
