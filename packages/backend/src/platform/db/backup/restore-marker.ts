import { sql } from "drizzle-orm";
import type { connect, Tx as OwnerTx } from "../database.ts";
import { BackupError } from "./backup-error.ts";

type Client = Pick<ReturnType<typeof connect>, "unsafe">;

/** Stands from before the first row of a restore until its last step, at every level of the schema. */
export const MARKER_SCHEMA = "patchbay_restore";

/** @throws BackupError while a restore into this database is under way, or was killed */
export async function refuseUnfinishedRestore(client: Client): Promise<void> {
  if (!(await isRestoreUnfinished(client))) return;
  throw new BackupError(
    "This database holds part of a backup: a restore into it was not finished. Nothing can be started on it; run `patchbay restore --from …` again, which begins anew.",
  );
}

export async function isRestoreUnfinished(client: Client): Promise<boolean> {
  const [row] = await client.unsafe<{ found: boolean }[]>(
    `select exists (select 1 from pg_namespace where nspname = '${MARKER_SCHEMA}') as found`,
  );
  return row?.found === true;
}

/** Committed before anything else is written. As the owner. */
export async function markUnfinished(client: Client): Promise<void> {
  await client.unsafe(`create schema if not exists ${MARKER_SCHEMA}`);
}

/** The last step of a restore, in the transaction that makes the product start held. As the owner. */
export async function removeMarker(tx: OwnerTx): Promise<void> {
  await tx.execute(sql.raw(`drop schema if exists ${MARKER_SCHEMA} cascade`));
}
