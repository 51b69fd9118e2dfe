import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, inArray, isNotNull, isNull, lte, or } from "drizzle-orm";
import { grants } from "../../domain/connections/index.ts";
import { readDatabaseNow, type Tx } from "../../platform/db/index.ts";
import { deadForGoodSince } from "./claim-refresh.ts";
import type { CredentialsDeps } from "./deps.ts";

/** Grants in one sweep; the next goes on. */
const GRANTS_MAX = 100;

/**
 * Tells of grants that have died, and of dead ones that live again, where nobody did: nobody asked for a token since,
 * or the process that should have told was killed.
 */
export async function tellFates(deps: CredentialsDeps, workspaceId: WorkspaceId): Promise<void> {
  const { dead, revived } = await deps.withWorkspace(workspaceId, async (tx) => {
    const mine = eq(grants.workspaceId, workspaceId);
    const buried = lte(grants.deadSince, deadForGoodSince(await readDatabaseNow(tx), deps.timings));
    return {
      dead: await tx
        .select({ grantId: grants.id, deadSince: grants.deadSince })
        .from(grants)
        .where(and(mine, eq(grants.state, "dead"), isNull(grants.deathToldAt), buried))
        .orderBy(asc(grants.deadSince))
        .limit(GRANTS_MAX),
      revived: await tx
        .select({ grantId: grants.id })
        .from(grants)
        .where(and(mine, inArray(grants.state, [...LIVING]), isNotNull(grants.deathToldAt)))
        .limit(GRANTS_MAX),
    };
  });
  for (const { grantId, deadSince } of dead) {
    if (deadSince !== null) await deps.onGrantDead({ workspaceId, grantId, deadSince });
  }
  for (const { grantId } of revived) await deps.onGrantRevived({ workspaceId, grantId });
}

/** Whether there is anything to tell, now or when it is certain: the next sweep looks. */
export async function nextFate(
  deps: Pick<CredentialsDeps, "clock">,
  tx: Tx,
  workspaceId: WorkspaceId,
): Promise<Date | null> {
  const untold = or(
    and(eq(grants.state, "dead"), isNull(grants.deathToldAt)),
    and(inArray(grants.state, [...LIVING]), isNotNull(grants.deathToldAt)),
  );
  const [row] = await tx
    .select({ id: grants.id })
    .from(grants)
    .where(and(eq(grants.workspaceId, workspaceId), untold))
    .limit(1);
  return row === undefined ? null : deps.clock.now();
}

const LIVING = ["active", "refreshing", "uncertain"] as const;
