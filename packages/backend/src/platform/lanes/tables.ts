import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import {
  boolean,
  doublePrecision,
  index,
  integer,
  pgSchema,
  primaryKey,
  smallint,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { id, instant } from "../db/columns.ts";

/**
 * Schema `queue`: ids and times only, no payload, no row-level security. These tables are the only ones that are
 * read across workspaces; the worker role works them, the app and ingest roles may only insert.
 */
export const queue = pgSchema("queue");

/** How sweeps, rotation and sequencers find workspaces. */
export const queueWorkspaces = queue.table("workspaces", {
  workspaceId: id<WorkspaceId>().primaryKey(),
  createdAt: instant().notNull(),
});

/**
 * What a sweep has to look at in a workspace, and when. Triggers write a row for each change of what sweeps read; who
 * looks puts one for the next time in their place.
 */
export const queueDue = queue.table(
  "due",
  {
    id: uuid().primaryKey(),
    workspaceId: id<WorkspaceId>().notNull(),
    task: text().notNull(),
    dueAt: instant().notNull(),
  },
  (t) => [index("due_task").on(t.task, t.dueAt), index("due_workspace").on(t.task, t.workspaceId)],
);

/** Accepted inbox items that the router has not seen. */
export const queueArrivals = queue.table(
  "arrivals",
  {
    id: uuid().primaryKey(),
    workspaceId: id<WorkspaceId>().notNull(),
    receivedAt: instant().notNull(),
    runAt: instant().notNull(),
    attempts: smallint().notNull().default(0),
    /** So that a router takes no more than fits into its memory. */
    bodyBytes: integer().notNull().default(1_048_576),
  },
  (t) => [index("arrivals_run_at").on(t.runAt)],
);

/** One row per transaction that appended events; the workspace's sequencer deletes it. */
export const queueUnsequenced = queue.table(
  "unsequenced",
  {
    id: uuid().primaryKey(),
    workspaceId: id<WorkspaceId>().notNull(),
  },
  (t) => [index("unsequenced_workspace").on(t.workspaceId)],
);

/** Work that other roles hand in; a worker moves it into lanes. */
export const queueFeed = queue.table("feed", {
  id: uuid().primaryKey(),
  kind: text().notNull(),
  workspaceId: id<WorkspaceId>().notNull(),
  tenantUid: id<TenantUid>().notNull(),
  laneId: uuid().notNull(),
  task: text().notNull(),
  runAt: instant().notNull(),
  urgent: boolean().notNull().default(false),
});

/** An ordered, leased queue of one tenant's work. `kind` says what `laneId` is: an endpoint or a connection. */
export const queueLanes = queue.table(
  "lanes",
  {
    kind: text().notNull(),
    workspaceId: id<WorkspaceId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    laneId: uuid().notNull(),
    pending: integer().notNull().default(0),
    nextAt: instant().notNull(),
    /** Nothing but what is urgent is worked before. */
    restUntil: instant(),
    leaseUntil: instant(),
    leaseToken: uuid(),
    /** Counts among those at work at the same time. */
    holdsSlot: boolean().notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.kind, t.laneId, t.tenantUid] }),
    index("lanes_ready")
      .on(t.kind, t.nextAt)
      .where(sql`pending > 0`),
    index("lanes_leased")
      .on(t.leaseUntil)
      .where(sql`lease_until is not null`),
  ],
);

/** Until when lanes with one id are left alone: they work as fast, or as many of them, as is allowed. */
export const queueLimits = queue.table(
  "limits",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    laneId: uuid().notNull(),
    /** All turns before then are given away. */
    freeAt: instant(),
    /** Enough of them are at work; ends sooner when one of those is given back. */
    fullUntil: instant(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.laneId] })],
);

export const queueItems = queue.table(
  "items",
  {
    id: uuid().primaryKey(),
    kind: text().notNull(),
    workspaceId: id<WorkspaceId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    laneId: uuid().notNull(),
    /** What to do: `deliver`, `run`, `fetch` … The item's id names the row. */
    task: text().notNull(),
    runAt: instant().notNull(),
    attempts: smallint().notNull().default(0),
    /** Does not wait for its lane's rest to end. */
    urgent: boolean().notNull().default(false),
  },
  (t) => [
    index("items_lane").on(t.workspaceId, t.kind, t.laneId, t.tenantUid, t.runAt, t.id),
    index("items_urgent")
      .on(t.workspaceId, t.kind, t.laneId, t.tenantUid, t.runAt)
      .where(sql`urgent`),
  ],
);

/** Virtual time of each tenant: who had least so far goes first. */
export const queueTenants = queue.table(
  "tenants",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    kind: text().notNull(),
    virtualTime: doublePrecision().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.tenantUid, t.kind] })],
);
