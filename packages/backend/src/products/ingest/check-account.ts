import { assertNever } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { AccountIdentity, ProviderFault } from "../../connectors/kit/index.ts";
import {
  changeHealth,
  grants,
  isLive,
  noteAccount,
  prepareGrantChange,
  type GrantChange,
  type HealthCause,
} from "../../domain/connections/index.ts";
import type { Sealer } from "../../domain/vault/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { enqueue, type ClaimedLane, type LaneItem } from "../../platform/lanes/index.ts";
import type { ProviderOutcome } from "../provider-client/index.ts";
import { backOff } from "./backoff.ts";
import { connectionRevoked } from "./connection-ended.ts";
import type { IngestDeps } from "./deps.ts";
import type { LaneConnection } from "./lane-connection.ts";
import { hintItem } from "./tasks.ts";

type CheckDeps = Pick<IngestDeps, "worker" | "vault" | "audit" | "client" | "clock" | "wake" | "log">;
type GrantState = Pick<typeof grants.$inferSelect, "state" | "rowVersion">;

/** A doubt that cannot be settled this often ends: for good where the tokens were refused each time. */
const ATTEMPTS_MAX = 8;
/** An account that is not found is looked for once more before its connections are given up. */
const GONE_ATTEMPTS = 2;
const PROVIDER = { kind: "provider", id: null } as const;

/**
 * Asks the provider whose account this is, after a hint that access ended or changed, or an answer that says so. Hints
 * are not proof: only what the provider answers to our own tokens, and to the newest of them, ends a connection.
 */
export async function checkAccount(
  deps: CheckDeps,
  lane: ClaimedLane,
  item: LaneItem,
  connection: LaneConnection,
): Promise<void> {
  const { workspaceId, tenantUid } = connection.owner;
  const uninstallTold = item.task === "confirmUninstall";
  if (!isLive(connection.row.status) || (!uninstallTold && connection.row.status === "reauthorizationRequired")) {
    return deps.worker.withWorkspace(workspaceId, (tx) => lane.settle(tx, [{ id: item.id, outcome: "done" }]));
  }
  const before = await deps.worker.withWorkspace(workspaceId, (tx) => grantState(tx, connection));
  const outcome = await deps.client.call(connection.target, connection.connector.identity.request(), {
    priority: "webhook",
    signal: lane.signal,
  });
  if (lane.signal.aborted) return;
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const change = await prepareGrantChange({ ...deps, withWorkspace: deps.worker.withWorkspace }, connection.target);
  const verdict = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await lane.fence(tx);
    const now = await grantState(tx, connection, "no key update");
    const judged = judge(connection, outcome, { uninstallTold, attempts: item.attempts, dead: now.state === "dead" });
    // What was refused may not be what the grant holds by now: somebody connected the account again.
    const overtaken = ENDING.has(judged.kind) && now.state !== "dead" && now.rowVersion !== before.rowVersion;
    const verdict: Verdict = overtaken ? { kind: "later", cause: null } : judged;
    await settle(tx, { deps, lane, item, connection, sealer, change }, verdict, uninstallTold);
    return verdict;
  });
  deps.wake.poke("events");
  deps.wake.poke("lanes:connection");
  const fault = outcome.ok ? null : outcome.fault.kind;
  deps.log.info({ ...connection.lane, task: item.task, verdict: verdict.kind, fault }, "account checked");
}

type Verdict =
  | { readonly kind: "works"; readonly account: AccountIdentity }
  | { readonly kind: "revoked"; readonly reason: "access_revoked" | "account_gone" }
  | { readonly kind: "dead"; readonly reason: "credentials_refused" | "account_mismatch" }
  | { readonly kind: "degraded"; readonly cause: HealthCause }
  | { readonly kind: "later"; readonly cause: HealthCause | null; readonly retryAfterSeconds?: number | null }
  | { readonly kind: "unclear" };

const ENDING: ReadonlySet<Verdict["kind"]> = new Set(["revoked", "dead"]);

interface Doubt {
  /** The provider itself said that the app was taken out. */
  readonly uninstallTold: boolean;
  readonly attempts: number;
  /** The token endpoint refuses the grant too, though perhaps not for good yet. */
  readonly dead: boolean;
}

function judge({ row, connector }: LaneConnection, outcome: ProviderOutcome, doubt: Doubt): Verdict {
  if (!outcome.ok) return ofFault(outcome.fault, doubt);
  try {
    const account = connector.identity.parse(outcome.response);
    return account.accountId === row.accountId
      ? { kind: "works", account }
      : { kind: "dead", reason: "account_mismatch" };
  } catch {
    return again(doubt);
  }
}

function ofFault(fault: ProviderFault, doubt: Doubt): Verdict {
  switch (fault.kind) {
    case "reauthorize":
      if (doubt.uninstallTold) return { kind: "revoked", reason: "access_revoked" };
      return doubt.attempts < ATTEMPTS_MAX
        ? { kind: "later", cause: "token_refused" }
        : { kind: "dead", reason: "credentials_refused" };
    case "gone":
      return doubt.attempts + 1 < GONE_ATTEMPTS ? again(doubt) : { kind: "revoked", reason: "account_gone" };
    case "suspended":
      return { kind: "degraded", cause: "account_suspended" };
    case "missing_scope":
    case "refused":
      return { kind: "degraded", cause: "access_refused" };
    case "rate_limited":
      return { kind: "later", cause: null, retryAfterSeconds: fault.retryAfterSeconds };
    case "unavailable":
      return doubt.uninstallTold && doubt.dead ? { kind: "revoked", reason: "access_revoked" } : again(doubt);
    case "too_large":
    case "conflict":
    case "rejected":
      return again(doubt);
    default:
      return assertNever(fault);
  }
}

/** The next run will meet the truth that could not be had. */
function again(doubt: Doubt): Verdict {
  return doubt.attempts < ATTEMPTS_MAX ? { kind: "later", cause: null } : { kind: "unclear" };
}

interface Settling {
  readonly deps: CheckDeps;
  readonly lane: ClaimedLane;
  readonly item: LaneItem;
  readonly connection: LaneConnection;
  readonly sealer: Sealer;
  readonly change: GrantChange;
}

async function settle(tx: Tx, at: Settling, verdict: Verdict, uninstallTold: boolean): Promise<void> {
  const { deps, lane, item, connection, sealer, change } = at;
  const { workspaceId, connectionId } = connection.owner;
  const degrade = (cause: HealthCause) =>
    changeHealth(tx, { ...deps, sealer }, { workspaceId, connectionId, add: [cause] });
  switch (verdict.kind) {
    case "works":
      await confirm(tx, at, verdict.account, uninstallTold);
      break;
    case "revoked":
      // The installation is the account's, so whoever shares it lost it too.
      await change.status(tx, {
        event: "revoked",
        reason: verdict.reason,
        actor: PROVIDER,
        onChanged: ({ id }) => connectionRevoked(tx, deps, { workspaceId, connectionId: id }),
      });
      break;
    case "dead":
      await change.status(tx, { event: "credentialsDied", reason: verdict.reason, actor: PROVIDER });
      break;
    case "degraded":
      await degrade(verdict.cause);
      break;
    case "later": {
      if (verdict.cause !== null) await degrade(verdict.cause);
      const at = backOff(deps.clock.now(), item.attempts, verdict.retryAfterSeconds);
      return lane.settle(tx, [{ id: item.id, outcome: { at } }]);
    }
    case "unclear":
      break;
    default:
      return assertNever(verdict);
  }
  await lane.settle(tx, [{ id: item.id, outcome: "done" }]);
}

/** Whoever got in again after an uninstall has lost the subscriptions; whoever regained scopes may make more of them. */
async function confirm(tx: Tx, at: Settling, account: AccountIdentity, uninstallTold: boolean): Promise<void> {
  const { deps, connection, sealer } = at;
  const { regained, status } = await noteAccount(
    tx,
    { ...deps, sealer },
    connection.row,
    connection.connector,
    account,
  );
  if (status === "active" && (uninstallTold || regained)) {
    await enqueue(tx, [hintItem(connection.lane, "activate", deps.clock.now())]);
  }
}

async function grantState(tx: Tx, { target }: LaneConnection, lock?: "no key update"): Promise<GrantState> {
  const rows = tx
    .select({ state: grants.state, rowVersion: grants.rowVersion })
    .from(grants)
    .where(and(eq(grants.workspaceId, target.workspaceId), eq(grants.id, target.grantId)));
  const [row] = await (lock === undefined ? rows : rows.for(lock));
  if (row === undefined) throw new Error("a connection without its grant");
  return row;
}
