import type { Activity } from "./activity.ts";
import { isDeadForGood } from "./claim-refresh.ts";
import { currentToken } from "./current-token.ts";
import type { Access, CredentialsDeps, GrantTarget } from "./deps.ts";
import type { Flights } from "./flights.ts";
import { loadGrant, type GrantRow } from "./load-grant.ts";
import { refresh } from "./refresh.ts";

/** A token that ends within this time may end on its way. */
const EXPIRY_MARGIN_MS = 30_000;

/**
 * A token that works now, as far as we know. Refreshes early and in the background; callers wait only when the token
 * at hand has expired.
 */
export async function accessToken(
  deps: CredentialsDeps,
  flights: Flights,
  activity: Activity,
  target: GrantTarget,
): Promise<Access> {
  const row = await deps.withWorkspace(target.workspaceId, (tx) => loadGrant(tx, target));
  if (row === null || row.state === "ended") return { problem: "reauthorize" };
  const now = deps.clock.now();
  if (row.state === "dead" && isDeadForGood(row, now)) return buried(deps, target);
  const due = row.state === "dead" || (row.refreshAt !== null && row.refreshAt <= now);
  const usable = row.state !== "dead" && !expires(row, now.getTime() + EXPIRY_MARGIN_MS);
  if (!due && !usable) return { problem: "unavailable" };
  if (!due && !(await activity.hasEnded(deps, row))) return currentToken(deps, row);
  const refreshing = flights.join(target, () => refresh(deps, target, row.rowVersion));
  if (!usable || !due) return refreshing;
  refreshing.catch((error: unknown) => deps.log.error({ error, grantId: target.grantId }, "early refresh failed"));
  return currentToken(deps, row);
}

/**
 * A token to repeat a request with that was answered 401, once.
 *
 * @param seenRowVersion came with the token that was refused: when the grant has moved on, its token is given instead
 */
export async function refreshAfter401(
  deps: CredentialsDeps,
  flights: Flights,
  target: GrantTarget,
  seenRowVersion: number,
): Promise<Access> {
  const row = await deps.withWorkspace(target.workspaceId, (tx) => loadGrant(tx, target));
  if (row === null || row.state === "ended") return { problem: "reauthorize" };
  if (row.state === "dead" && isDeadForGood(row, deps.clock.now())) return buried(deps, target);
  if (row.state !== "dead" && row.rowVersion > seenRowVersion) return currentToken(deps, row);
  return flights.join(target, () => refresh(deps, target, seenRowVersion));
}

function expires(row: GrantRow, beforeMs: number): boolean {
  return row.accessExpiresAt !== null && row.accessExpiresAt.getTime() <= beforeMs;
}

async function buried(deps: CredentialsDeps, target: GrantTarget): Promise<Access> {
  await deps.onGrantDead(target);
  return { problem: "reauthorize" };
}
