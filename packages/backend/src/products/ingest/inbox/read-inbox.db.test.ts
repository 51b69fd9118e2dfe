import {
  encodeId,
  type ConnectionId,
  type InboxEntry,
  type InboxId,
  type SourceId,
  type WorkspaceId,
} from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aConnection } from "../../../../../../test/harness/builders.ts";
import { createTestDatabase, type TestDatabase } from "../../../../../../test/harness/database.ts";
import { openDatabase, type Database, type RoleDatabase } from "../../../platform/db/index.ts";
import { appendInbox } from "./append-inbox.ts";
import type { InboxSelection } from "./inbox-selection.ts";
import { listInbox } from "./read-inbox.ts";
import { aRow } from "./testing/inbox-contract.ts";

const DELIVERIES = 60;
const PAGE = 7;
const STATUSES = ["routed", "duplicate", "ignored", "unrouted", "quarantined"] as const;

interface Element {
  readonly status: (typeof STATUSES)[number];
  readonly connectionId: ConnectionId | null;
}

interface Delivered {
  readonly id: InboxId;
  readonly receivedAt: Date;
  readonly provider: string;
  readonly sourceId: SourceId;
  readonly elements: readonly Element[];
}

let testDatabase: TestDatabase;
let database: Database;
let app: RoleDatabase;
let workspaceId: WorkspaceId;
let connectionIds: readonly ConnectionId[];
let sourceIds: readonly SourceId[];
let delivered: readonly Delivered[];

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.connection, 4);
  app = database.as("patchbay_app");
  workspaceId = randomUUID() as WorkspaceId;
  sourceIds = [1, 2, 3].map(() => randomUUID() as SourceId);
  const connections = [];
  for (let n = 0; n < 3; n++)
    connections.push(await aConnection(testDatabase.sql, { workspaceId, tenantExternalId: `tenant-${n}` }));
  connectionIds = connections.map(({ connectionId }) => connectionId);
  const begin = Date.now() - DELIVERIES * 1_000;
  const made = Array.from({ length: DELIVERIES }, (_, n): Delivered => {
    const row = aRow({}, new Date(begin + n * 1_000));
    const elements = Array.from({ length: n % 4 }, (__, element): Element => ({
      // Of three, two are alike.
      status: pick(STATUSES, n * 7 + (element >> 1) * 3),
      connectionId: n % 3 === 0 ? null : pick(connectionIds, n + (element >> 1) * 2),
    }));
    const provider = n % 5 === 0 ? "other" : "shopify";
    return { id: row.id, receivedAt: row.receivedAt, provider, sourceId: pick(sourceIds, n * n), elements };
  });
  const rows = made.map((each) => aRow({ ...each, workspaceId }, each.receivedAt));
  await appendInbox(database.as("patchbay_ingest"), rows);
  for (const { id, receivedAt, elements } of made) {
    for (const [element, { status, connectionId }] of elements.entries()) {
      const tenantUid = connections.find((each) => each.connectionId === connectionId)?.tenantUid ?? null;
      await testDatabase.sql`
        insert into inbox_outcomes (workspace_id, inbox_id, received_at, element, status, connection_id, tenant_uid, routed_at)
        values (${workspaceId}, ${id}, ${receivedAt}, ${element}, ${status}, ${connectionId}, ${tenantUid}, now())`;
    }
  }
  delivered = made.toReversed();
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

describe("the list of what arrived", () => {
  test("is by every filter and pair of filters what they say, newest first, over all pages", async () => {
    const at = (n: number) => delivered[n]?.receivedAt;
    const filters: InboxSelection[] = [
      {},
      ...["received" as const, ...STATUSES].map((status) => ({ status })),
      ...connectionIds.map((connectionId) => ({ connectionId })),
      ...sourceIds.map((sourceId) => ({ sourceId })),
      { connectionId: randomUUID() as ConnectionId },
      { provider: "other" },
      { provider: "nobody" },
      { since: at(40), until: at(10) },
    ];
    for (const [place, one] of filters.entries()) {
      for (const other of filters.slice(place)) {
        const filter = { ...one, ...other };
        expect(await listed(filter), JSON.stringify(filter)).toEqual(expected(filter));
      }
    }
  });
});

type Shown = Pick<InboxEntry, "id" | "status" | "connectionId">;

async function listed(filter: InboxSelection): Promise<readonly Shown[]> {
  const shown: Shown[] = [];
  let cursor: string | undefined;
  for (let page = 0; page <= DELIVERIES / PAGE; page++) {
    const answer = await listInbox({ app }, { ...filter, workspaceId, limit: PAGE, cursor });
    shown.push(...answer.data.map(({ id, status, connectionId }) => ({ id, status, connectionId })));
    if (answer.nextCursor === null) return shown;
    cursor = answer.nextCursor;
  }
  throw new Error("the pages do not end");
}

function expected({ status, connectionId, provider, sourceId, since, until }: InboxSelection): readonly Shown[] {
  return delivered.flatMap((each): readonly Shown[] => {
    if (provider !== undefined && each.provider !== provider) return [];
    if (sourceId !== undefined && each.sourceId !== sourceId) return [];
    if (since !== undefined && each.receivedAt < since) return [];
    if (until !== undefined && each.receivedAt >= until) return [];
    const id = encodeId("inb", each.id);
    const waits = each.elements.length === 0;
    if (waits) {
      const fits = connectionId === undefined && (status === undefined || status === "received");
      return fits ? [{ id, status: "received", connectionId: null }] : [];
    }
    const first = each.elements.find(
      (element) =>
        (status === undefined || element.status === status) &&
        (connectionId === undefined || element.connectionId === connectionId),
    );
    if (first === undefined) return [];
    const of = first.connectionId === null ? null : encodeId("conn", first.connectionId);
    return [{ id, status: first.status, connectionId: of }];
  });
}

function pick<Item>(items: readonly Item[], n: number): Item {
  const item = items[n % items.length];
  if (item === undefined) throw new Error("nothing to choose from");
  return item;
}
