import { EVENT_CATALOGUE, type DataKeyId, type EventId, type EventType, type WorkspaceId } from "@patchbay/shared";
import type postgres from "postgres";
import { eventPlace } from "../../packages/backend/src/domain/events/index.ts";
import type { Vault } from "../../packages/backend/src/domain/vault/index.ts";

/** Rows are looked at in portions of this size. */
const PAGE = 500;

/**
 * Opens every event of a database and holds it against its type's schema in the catalogue: whatever a test is about,
 * what was told must be what is documented. What cannot be opened any more, since its tenant was erased or its key
 * taken away, is left out.
 *
 * @throws Error that names types and places, nothing of the data
 */
export async function checkEvents(sql: postgres.Sql, vault: Pick<Vault, "open">): Promise<void> {
  const problems = new Set<string>();
  for (let after = "00000000-0000-0000-0000-000000000000"; ;) {
    const rows = await sql<Row[]>`
      select workspace_id, id, type, body, body_key_id from events where id > ${after} order by id limit ${PAGE}`;
    for (const row of rows) for (const problem of await problemsOf(row, vault)) problems.add(problem);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) break;
    after = last.id;
  }
  if (problems.size > 0) throw new Error(`events differ from the catalogue:\n${[...problems].join("\n")}`);
}

interface Row {
  readonly workspace_id: WorkspaceId;
  readonly id: EventId;
  readonly type: EventType;
  readonly body: Uint8Array;
  readonly body_key_id: DataKeyId;
}

async function problemsOf(row: Row, vault: Pick<Vault, "open">): Promise<readonly string[]> {
  const body = await vault.open(row.workspace_id, eventPlace(row.id), row.body).catch(() => null);
  if (body === null) return [];
  const parsed = EVENT_CATALOGUE[row.type].schema.safeParse(JSON.parse(Buffer.from(body).toString()));
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${row.type} ${path.join(".")}: ${message}`);
}
