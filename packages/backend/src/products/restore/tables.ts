import { uuid } from "drizzle-orm/pg-core";
import { instant } from "../../platform/db/columns.ts";
import { queue } from "../../platform/lanes/index.ts";

/** Restores of this database from a backup; ids and times only. The newest without `confirmedAt` holds the product. */
export const restores = queue.table("restores", {
  id: uuid().primaryKey(),
  /** The instant that the backup showed. */
  backupTakenAt: instant().notNull(),
  restoredAt: instant().notNull(),
  confirmedAt: instant(),
});
