import type { DataKeyId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { arrayParam, type Database, type Tx } from "../../platform/db/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Vault } from "./vault.ts";

const CHANNEL = "patchbay_destroyed_keys";
/** A notification holds less than 8,000 bytes; an id takes 37. */
const IDS_PER_NOTIFICATION = 200;

/** Tells every process with the commit of `tx`, and none if it is rolled back. */
export async function tellDestroyed(tx: Tx, ids: readonly DataKeyId[]): Promise<void> {
  if (ids.length === 0) return;
  const payloads: string[] = [];
  for (let from = 0; from < ids.length; from += IDS_PER_NOTIFICATION) {
    payloads.push(ids.slice(from, from + IDS_PER_NOTIFICATION).join(","));
  }
  await tx.execute(sql`select pg_notify(${CHANNEL}, payload) from unnest(${arrayParam(payloads, "text")}) payload`);
}

/**
 * Makes this process forget keys that any process destroys, itself included: between `destroyKeys` and its commit
 * others here may have loaded the key once more. After the connection was lost it forgets all data keys, since it may
 * have missed some.
 *
 * Where nothing can be heard (a pooler in transaction mode), keys go with their age, at most five minutes.
 */
export async function followDestroyedKeys(deps: {
  readonly database: Pick<Database, "listen">;
  readonly vault: Pick<Vault, "forget">;
  readonly log: Logger;
}): Promise<{ close(): Promise<void> }> {
  const { database, vault, log } = deps;
  return database.listen(CHANNEL, {
    onWake: (payload) => vault.forget(new Set(payload.split(","))),
    onHearing: () => vault.forget("all"),
    onDeaf: (error) => log.warn({ error }, "destroyed keys of other processes stay in memory for up to five minutes"),
  });
}
