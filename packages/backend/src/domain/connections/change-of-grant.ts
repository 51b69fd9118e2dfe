import { encodeId, type GrantId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { Tx, WithWorkspace } from "../../platform/db/index.ts";
import type { Wake } from "../../platform/lanes/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Actor, Audit, AuditAct, AuditAction } from "../audit/index.ts";
import type { Sealer, Vault } from "../vault/index.ts";
import { changeHealth } from "./change-health.ts";
import { changeStatus } from "./change-status.ts";
import type { HealthCause } from "./health.ts";
import { connectionsOfGrant, type ConnectionRow } from "./load-connection.ts";
import { isLive, type ConnectionEvent } from "./state.ts";
import { grants } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
  readonly audit: Pick<Audit, "writer">;
  readonly clock: Clock;
  readonly wake: Pick<Wake, "poke">;
}
interface Grant {
  readonly workspaceId: WorkspaceId;
  readonly grantId: GrantId;
}

/**
 * The provider refuses the grant for good: every connection on it needs a person. Told once per death, however often
 * called and by however many processes: what is told, and that it was, is one transaction under the grant's lock.
 *
 * @param death.deadSince names the death: a grant that lives again meanwhile is left alone
 */
export async function grantDied(deps: Deps, death: Grant & { readonly deadSince: Date }): Promise<void> {
  await changeAll(deps, death, async (tx, change) => {
    const row = await lockGrant(tx, death);
    if (row?.state !== "dead" || row.deadSince?.getTime() !== death.deadSince.getTime()) return 0;
    const now = deps.clock.now();
    const expired = row.certificateEndsAt !== null && row.certificateEndsAt <= now;
    const actor = expired ? SYSTEM : PROVIDER;
    const told = await change.status(tx, { event: "credentialsDied", reason: "credentials_refused", actor });
    if (row.deathToldAt === null) {
      await setDeathTold(tx, death, now);
      await change.enter(tx, { actor, action: "grant.died" });
    }
    return told;
  });
}

/** The grant has good tokens again: connections that waited for them go on. Those that were revoked do not. */
export async function grantRevived(deps: Deps, grant: Grant): Promise<void> {
  await changeAll(deps, grant, async (tx, change) => {
    const row = await lockGrant(tx, grant);
    if (row === undefined || row.state === "dead" || row.state === "ended") return 0;
    const told = await change.status(tx, { event: "reauthorized", reason: null, actor: SYSTEM });
    if (row.deathToldAt !== null) {
      await setDeathTold(tx, grant, null);
      await change.enter(tx, { actor: SYSTEM, action: "grant.revived" });
    }
    return told;
  });
}

/** Something is wrong with the grant's credentials, though they work: a certificate is about to end. Entered once. */
export async function grantDegraded(deps: Deps, grant: Grant, cause: HealthCause): Promise<void> {
  await changeAll(deps, grant, (tx, change) => change.degraded(tx, cause));
}

/** One event for all live connections of a grant. */
export interface StatusOfGrant {
  readonly event: keyof typeof ACTIONS;
  readonly reason: string | null;
  readonly actor: Actor;
  /** Called for each connection that changed. */
  readonly onChanged?: (row: ConnectionRow) => Promise<void>;
}

const ACTIONS = {
  credentialsDied: "connection.credentials_died",
  reauthorized: "connection.recovered",
  revoked: "connection.revoked",
} as const satisfies Partial<Record<ConnectionEvent, AuditAction>>;

const PROVIDER: Actor = { kind: "provider", id: null };
const SYSTEM: Actor = { kind: "system", id: null };

/** Changes to all live connections of one grant, in the caller's transaction. */
export interface GrantChange {
  /**
   * Each connection that changed is entered in the audit log, whose end stays locked until the commit: little may follow.
   *
   * @returns how many events the host is told by; poke `events` after the commit
   */
  status(tx: Tx, change: StatusOfGrant): Promise<number>;
  /** Adds a cause that concerns credentials: as {@link health}, and entered for each connection that had it not. */
  degraded(tx: Tx, cause: HealthCause): Promise<number>;
  /** Enters what became of the grant itself. */
  enter(tx: Tx, act: { readonly actor: Actor; readonly action: "grant.died" | "grant.revived" }): Promise<void>;
  health(
    tx: Tx,
    change: { readonly add?: readonly HealthCause[]; readonly clear?: readonly HealthCause[] },
  ): Promise<number>;
}

/**
 * Gets ready to change what hangs on a grant: sealers must be had before the transaction. A connection that comes to
 * the grant in between is left out: it was made with credentials that worked then.
 */
export async function prepareGrantChange(
  deps: Pick<Deps, "withWorkspace" | "vault" | "audit" | "clock">,
  { workspaceId, grantId }: Grant,
): Promise<GrantChange> {
  const before = await deps.withWorkspace(workspaceId, (tx) => connectionsOfGrant(tx, workspaceId, grantId));
  const log = await deps.audit.writer(workspaceId);
  const sealers = new Map<TenantUid, Sealer>();
  for (const { tenantUid } of before.filter((row) => isLive(row.status))) {
    if (sealers.has(tenantUid)) continue;
    sealers.set(tenantUid, await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" }));
  }

  async function forEach(tx: Tx, visit: (row: ConnectionRow, sealer: Sealer) => Promise<boolean>): Promise<number> {
    if (sealers.size === 0) return 0;
    let told = 0;
    for (const row of await connectionsOfGrant(tx, workspaceId, grantId, "no key update")) {
      const sealer = sealers.get(row.tenantUid);
      if (sealer !== undefined && isLive(row.status) && (await visit(row, sealer))) told += 1;
    }
    return told;
  }

  async function enterConnection(
    tx: Tx,
    { id, tenantUid, provider }: ConnectionRow,
    { reason, ...act }: Pick<AuditAct, "actor" | "action"> & { readonly reason: string | null },
  ): Promise<void> {
    const target = { type: "connection", id: encodeId("conn", id) };
    await log.append(tx, { ...act, target, tenantUid, details: { provider, reason } });
  }

  return {
    async status(tx, { event, reason, actor, onChanged }) {
      const changes: ConnectionRow[] = [];
      const told = await forEach(tx, async ({ id: connectionId }, sealer) => {
        const input = { workspaceId, connectionId, event, reason };
        const { connection, changed, announced } = await changeStatus(tx, { ...deps, sealer }, input);
        if (changed) changes.push(connection);
        if (changed) await onChanged?.(connection);
        return announced !== null;
      });
      for (const row of changes) await enterConnection(tx, row, { actor, action: ACTIONS[event], reason });
      return told;
    },
    enter: (tx, act) => log.append(tx, { ...act, target: { type: "grant", id: grantId } }),
    health: (tx, change) =>
      forEach(tx, async ({ id: connectionId }, sealer) => {
        return (await changeHealth(tx, { ...deps, sealer }, { workspaceId, connectionId, ...change })) !== null;
      }),
    async degraded(tx, cause) {
      const changes: ConnectionRow[] = [];
      const told = await forEach(tx, async (row, sealer) => {
        if (row.status === "active" && !row.healthCauses.includes(cause)) changes.push(row);
        const change = { workspaceId, connectionId: row.id, add: [cause] };
        return (await changeHealth(tx, { ...deps, sealer }, change)) !== null;
      });
      for (const row of changes)
        await enterConnection(tx, row, { actor: SYSTEM, action: "connection.degraded", reason: cause });
      return told;
    },
  };
}

async function changeAll(
  deps: Deps,
  grant: Grant,
  work: (tx: Tx, change: GrantChange) => Promise<number>,
): Promise<void> {
  const change = await prepareGrantChange(deps, grant);
  const told = await deps.withWorkspace(grant.workspaceId, (tx) => work(tx, change));
  if (told > 0) deps.wake.poke("events");
}

/**
 * Before its connections: whoever needs both locks them in this order. Keys stay as they are, so that rows which refer to
 * the grant can be written meanwhile: a connection's, by who has that in hand and not the grant.
 */
async function lockGrant(tx: Tx, grant: Grant): Promise<typeof grants.$inferSelect | undefined> {
  const [row] = await tx.select().from(grants).where(ofGrant(grant)).for("no key update");
  return row;
}

async function setDeathTold(tx: Tx, grant: Grant, deathToldAt: Date | null): Promise<void> {
  await tx.update(grants).set({ deathToldAt }).where(ofGrant(grant));
}

function ofGrant({ workspaceId, grantId }: Grant) {
  return and(eq(grants.workspaceId, workspaceId), eq(grants.id, grantId));
}
