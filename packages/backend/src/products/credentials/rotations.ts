import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, lte, min } from "drizzle-orm";
import { grants } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { CredentialsDeps, GrantTarget } from "./deps.ts";
import { enterGrant, type GrantAct } from "./enter-grant.ts";
import { lockGrant, ofGrant } from "./load-grant.ts";
import { grantKeySpec, openSecret, sealSecret, tokensPlace, type HandedOver } from "./token-pair.ts";

/** What is sealed of keys that we replace ourselves, and which of them are due. */
export interface Rotations {
  due(workspaceId: WorkspaceId): Promise<readonly GrantTarget[]>;
  /** When the next falls due. */
  nextDue(tx: Tx, workspaceId: WorkspaceId): Promise<Date | null>;
  /**
   * Takes a due grant for as long as one step lasts: nobody else gets it meanwhile.
   *
   * @returns `null` when somebody else has it, or it is over
   */
  take(target: GrantTarget): Promise<RotatingGrant | null>;
  /**
   * Commits a step, and enters in the audit log what it did. @param inMs until the next is due
   * @returns the grant after it; `null` when it changed since it was read: somebody handed over another key
   */
  write(grant: RotatingGrant, secret: HandedOver, inMs: number, done?: KeyStep): Promise<RotatingGrant | null>;
}

export interface KeyStep {
  readonly action: Extract<GrantAct["action"], `grant.key_${string}`>;
  /** Whether the provider did as it was asked. */
  readonly ok: boolean;
}

export interface RotatingGrant extends GrantTarget {
  readonly rowVersion: number;
  readonly provider: string;
  readonly authMethod: string;
  readonly accountId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly mode: "live" | "test";
  readonly secret: HandedOver;
}

/** Grants in one sweep; the next goes on. */
const GRANTS_MAX = 20;
/** Above the time that the requests of one rotation may take together. */
const STEP_MS_MAX = 5 * 60_000;

export function createRotations(deps: CredentialsDeps): Rotations {
  return {
    async due(workspaceId) {
      const rows = await deps.withWorkspace(workspaceId, (tx) =>
        tx
          .select({ id: grants.id })
          .from(grants)
          .where(
            and(
              eq(grants.workspaceId, workspaceId),
              eq(grants.state, "active"),
              lte(grants.rotateAt, deps.clock.now()),
            ),
          )
          .orderBy(asc(grants.rotateAt))
          .limit(GRANTS_MAX),
      );
      return rows.map(({ id }) => ({ workspaceId, grantId: id }));
    },

    async nextDue(tx, workspaceId) {
      const mine = and(eq(grants.workspaceId, workspaceId), eq(grants.state, "active"));
      const [row] = await tx
        .select({ at: min(grants.rotateAt) })
        .from(grants)
        .where(mine);
      return row?.at ?? null;
    },

    async take(target) {
      const now = deps.clock.now();
      const row = await deps.withWorkspace(target.workspaceId, async (tx) => {
        const seen = await lockGrant(tx, target);
        if (seen?.row.state !== "active" || seen.row.rotateAt === null || seen.row.rotateAt > now) return null;
        const rotateAt = new Date(now.getTime() + STEP_MS_MAX);
        await tx.update(grants).set({ rotateAt }).where(ofGrant(target));
        return seen.row;
      });
      if (row === null || row.tokens === null) return null;
      const { rowVersion, provider, authMethod, accountId, params, mode } = row;
      const place = tokensPlace(target.grantId, rowVersion);
      const secret = await openSecret(deps.vault, target.workspaceId, place, row.tokens);
      if (secret.kind !== "fields") throw new Error(`a rotating key with a sealed ${secret.kind}`);
      return { ...target, rowVersion, provider, authMethod, accountId, params, mode, secret };
    },

    async write(grant, secret, inMs, done) {
      const { workspaceId, grantId } = grant;
      const sealer = await deps.vault.sealer(grantKeySpec(workspaceId, grantId));
      const now = deps.clock.now();
      const log = done === undefined ? null : await deps.audit.writer(workspaceId);
      const rowVersion = grant.rowVersion + 1;
      const isWritten = await deps.withWorkspace(workspaceId, async (tx) => {
        const rows = await tx
          .update(grants)
          .set({
            tokens: sealSecret(sealer, tokensPlace(grantId, rowVersion), secret),
            rowVersion,
            rotateAt: new Date(now.getTime() + inMs),
            updatedAt: now,
          })
          .where(and(ofGrant(grant), eq(grants.state, "active"), eq(grants.rowVersion, grant.rowVersion)))
          .returning({ id: grants.id });
        if (rows.length === 0) return false;
        if (log === null || done === undefined) return true;
        const { action, ok } = done;
        await enterGrant(log, tx, grant, { action, details: { provider: grant.provider, ok } });
        return true;
      });
      return isWritten ? { ...grant, rowVersion, secret } : null;
    },
  };
}
