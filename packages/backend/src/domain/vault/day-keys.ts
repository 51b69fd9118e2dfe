import type { DataKeyId, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, sql, type SQL } from "drizzle-orm";
import { arrayParam, type Tx } from "../../platform/db/index.ts";
import type { Purpose } from "./data-keys.ts";
import { GRACE_MS } from "./rotation/index.ts";
import { dataKeys } from "./tables.ts";

/** Keys whose scope ends with a day, of days of which nothing is stored any more. */
export interface GoneDays {
  readonly workspaceId: WorkspaceId;
  readonly purpose: Purpose;
  /** As `2026-11-01`: days from this one on are left alone. */
  readonly before: string;
  /** Days before that of which something is stored all the same. */
  readonly kept: readonly string[];
  /** Keys in one go. */
  readonly limit: number;
}

/** A destroyed key's row says for so long that it was destroyed. */
const TOMBSTONE_MS = 24 * 3_600_000;

/**
 * What can be done at once with keys of days that are gone: nobody gets them for sealing from now on, and rows of keys
 * that were destroyed a day ago go. By the database's clock.
 *
 * @returns how many rows it changed
 */
export async function ageDayKeys(tx: Tx, gone: GoneDays): Promise<number> {
  const aged = await tx
    .update(dataKeys)
    .set({ state: "decrypt_only", decryptOnlySince: sql`now()` })
    .where(some(tx, gone, sql`state = 'active'`))
    .returning({ id: dataKeys.id });
  const forgotten = await tx
    .delete(dataKeys)
    .where(some(tx, gone, sql`state = 'destroyed' and destroyed_at < now() - ${ms(TOMBSTONE_MS)}`))
    .returning({ id: dataKeys.id });
  return aged.length + forgotten.length;
}

/**
 * Keys of days that are gone which may be destroyed: nobody can hold one for sealing any longer, and what was last
 * sealed under it would be stored by now, on a day that is not gone then.
 */
export async function spentDayKeys(tx: Tx, gone: GoneDays): Promise<readonly DataKeyId[]> {
  const rows = await tx
    .select({ id: dataKeys.id })
    .from(dataKeys)
    .where(some(tx, gone, sql`state = 'decrypt_only' and decrypt_only_since < now() - ${ms(GRACE_MS)}`))
    .orderBy(asc(dataKeys.id))
    .for("update");
  return rows.map(({ id }) => id);
}

function some(tx: Tx, { workspaceId, purpose, before, kept, limit }: GoneDays, state: SQL): SQL | undefined {
  const day = sql`right(${dataKeys.scope}, 10)`;
  const mine = and(eq(dataKeys.workspaceId, workspaceId), eq(dataKeys.purpose, purpose));
  const ids = tx
    .select({ id: dataKeys.id })
    .from(dataKeys)
    .where(
      and(
        mine,
        state,
        sql`${dataKeys.scope} ~ ':[0-9]{4}-[0-9]{2}-[0-9]{2}$'`,
        sql`${day} < ${before}`,
        sql`${day} <> all(${arrayParam([...kept], "text")})`,
      ),
    )
    .orderBy(asc(dataKeys.id))
    .limit(limit);
  // As an array it is looked for once, whatever the planner thinks of policies.
  return and(mine, state, sql`${dataKeys.id} = any(array(${ids}))`);
}

function ms(length: number): SQL {
  return sql`${length} * interval '1 millisecond'`;
}
