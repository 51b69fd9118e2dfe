import type { Activity } from "./activity.ts";
import { isDeadForGood } from "./claim-refresh.ts";
import { currentToken } from "./current-token.ts";
import type { Access, CredentialsDeps, GrantTarget } from "./deps.ts";
import type { Flights } from "./flights.ts";
import { loadGrant, loadGrantWithFacts, type GrantFacts, type GrantRow, type SeenGrant } from "./load-grant.ts";
import { refresh } from "./refresh.ts";

/** What a call of a provider begins with. */
export interface CallStart {
  readonly facts: GrantFacts;
  /** A token that works now, as far as we know. Callers wait only when the token at hand has expired. */
  readonly access: () => Promise<Access>;
}

/** One look at the grant for both. @throws Error when there is no such grant: callers hold ids of our own rows */
export async function startCall(
  deps: CredentialsDeps,
  flights: Flights,
  activity: Activity,
  target: GrantTarget,
): Promise<CallStart> {
  const found = await deps.withWorkspace(target.workspaceId, (tx) => loadGrantWithFacts(tx, target));
  if (found === null) throw new Error("no such grant");
  return { facts: found.facts, access: () => accessOf(deps, flights, activity, target, found.seen) };
}

/** A token that works now, as far as we know. */
export async function accessToken(
  deps: CredentialsDeps,
  flights: Flights,
  activity: Activity,
  target: GrantTarget,
): Promise<Access> {
  const seen = await deps.withWorkspace(target.workspaceId, (tx) => loadGrant(tx, target));
  return accessOf(deps, flights, activity, target, seen);
}

/** Refreshes early and in the background; who asks waits only when the token at hand has expired. */
async function accessOf(
  deps: CredentialsDeps,
  flights: Flights,
  activity: Activity,
  target: GrantTarget,
  seen: SeenGrant | null,
): Promise<Access> {
  if (seen === null || seen.row.state === "ended") return { problem: "reauthorize" };
  const { row, now } = seen;
  if (isBuried(deps, seen)) return buried(deps, target, row);
  const due = row.state === "dead" || (row.refreshAt !== null && row.refreshAt <= now);
  const usable = !expires(row, now.getTime() + deps.timings.marginMs);
  if (!due && !usable) return { problem: "unavailable" };
  if (!due && !(await activity.hasEnded(deps, row))) return currentToken(deps, row);
  deps.at("due");
  if (!usable || !due) return flights.join(target, "wait", () => refresh(deps, target, row.rowVersion, "wait"));
  flights
    .join(target, "none", () => refresh(deps, target, row.rowVersion, "none"))
    .catch((error: unknown) => deps.log.error({ error, grantId: target.grantId }, "early refresh failed"));
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
  const seen = await deps.withWorkspace(target.workspaceId, (tx) => loadGrant(tx, target));
  if (seen === null || seen.row.state === "ended") return { problem: "reauthorize" };
  const { row } = seen;
  if (isBuried(deps, seen)) return buried(deps, target, row);
  if (row.state !== "dead" && row.rowVersion > seenRowVersion) return currentToken(deps, row);
  deps.at("due");
  const start = () => refresh(deps, target, seenRowVersion, "wait");
  const access = await flights.join(target, "wait", start);
  // A flight that began before the refused token was made ends with that very token.
  const isStale = "rowVersion" in access && access.rowVersion <= seenRowVersion;
  return isStale ? flights.join(target, "wait", start) : access;
}

function isBuried(deps: CredentialsDeps, { row, now }: SeenGrant): boolean {
  return row.state === "dead" && isDeadForGood(row, now, deps.timings);
}

function expires(row: GrantRow, beforeMs: number): boolean {
  return row.accessExpiresAt !== null && row.accessExpiresAt.getTime() <= beforeMs;
}

async function buried(deps: CredentialsDeps, target: GrantTarget, { deadSince }: GrantRow): Promise<Access> {
  if (deadSince !== null) await deps.onGrantDead({ ...target, deadSince });
  return { problem: "reauthorize" };
}
