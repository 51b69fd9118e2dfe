import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";

let fixture: TestDatabase;
beforeAll(async () => {
  fixture = await createTestDatabase();
});
afterAll(() => fixture.drop());

/** What a role may do to a table as a whole, and which columns it may change. */
const GRANTS: Readonly<Record<string, readonly [whole: string, columns: string]>> = {
  "patchbay_app attempts": ["select", ""],
  "patchbay_app deliveries": ["insert, select", "finished_at, next_attempt_at, replay_id, schedule_offset, status"],
  "patchbay_app delivery_replays": ["insert, select", "finished_at, status"],
  "patchbay_app endpoint_secrets": ["delete, insert, select", "expires_at"],
  "patchbay_app endpoints": [
    "insert, select",
    "consecutive_failures, deleted_at, delivery_order, description, disabled_reason, failing_since, max_in_flight, models, " +
      "open_until, payload, providers, rate_per_second, status, tenant_uids, types, updated_at, url",
  ],
  // To lock it.
  "patchbay_app event_heads": ["insert, select", "workspace_id"],
  "patchbay_app events": ["insert, select", ""],
  "patchbay_worker attempts": ["delete, insert, select", "response_body"],
  "patchbay_worker deliveries": [
    "delete, insert, select",
    "attempts, finished_at, next_attempt_at, replay_id, schedule_offset, status",
  ],
  "patchbay_worker delivery_replays": ["delete, select", "finished_at, position, replayed, status"],
  "patchbay_worker endpoint_secrets": ["delete, select", "secret"],
  "patchbay_worker endpoints": [
    "delete, select",
    "consecutive_failures, disabled_reason, failing_since, forgotten_position, last_success_at, open_until, status, " +
      "tenant_uids, updated_at",
  ],
  "patchbay_worker event_heads": ["insert, select", "epoch, position"],
  "patchbay_worker events": ["delete, insert, select", "body, body_key_id, position"],
};

test("each role may do to events and deliveries what its code does, and nothing else", async () => {
  const rows = await fixture.sql<{ name: string; whole: string; columns: string }[]>`
    select role || ' ' || t.relname as name,
      coalesce((select string_agg(verb, ', ' order by verb) from unnest(array['select', 'insert', 'update', 'delete', 'truncate']) verb
        where has_table_privilege(role, t.oid, verb)), '') as whole,
      coalesce((select string_agg(a.attname, ', ' order by a.attname) from pg_attribute a
        where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and has_column_privilege(role, t.oid, a.attnum, 'update')), '') as columns
    from pg_class t, unnest(array['patchbay_app', 'patchbay_worker', 'patchbay_ingest', 'patchbay_maintenance']) role
    where t.relnamespace = 'public'::regnamespace and t.relname in
      ('events', 'event_heads', 'endpoints', 'endpoint_secrets', 'deliveries', 'attempts', 'delivery_replays')`;
  const granted = rows
    .filter(({ whole, columns }) => whole !== "" || columns !== "")
    .map(({ name, whole, columns }) => [name, [whole, columns]]);
  expect(Object.fromEntries(granted)).toEqual(GRANTS);
});
