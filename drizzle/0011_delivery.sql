-- A lane may rest: nothing in it is worked before then, however much waits, but what is urgent. So an endpoint that is
-- down costs one row and not one for each delivery that waits for it.
ALTER TABLE queue.lanes ADD COLUMN rest_until timestamp with time zone;
--> statement-breakpoint
ALTER TABLE queue.feed ADD COLUMN urgent boolean NOT NULL DEFAULT false;
--> statement-breakpoint
ALTER TABLE queue.items ADD COLUMN urgent boolean NOT NULL DEFAULT false;
--> statement-breakpoint
CREATE INDEX items_urgent ON queue.items (workspace_id, kind, lane_id, tenant_uid, run_at) WHERE urgent;
--> statement-breakpoint

-- Filters of an endpoint: NULL lets all through, a list what it names, an empty one nothing (its tenants are erased).
-- A change of type rewrites every row, whatever row-level security shows to whom.
ALTER TABLE endpoints
  ALTER COLUMN types DROP NOT NULL, ALTER COLUMN types DROP DEFAULT, ALTER COLUMN types TYPE text[] USING nullif(types, '{}'),
  ALTER COLUMN models DROP NOT NULL, ALTER COLUMN models DROP DEFAULT, ALTER COLUMN models TYPE text[] USING nullif(models, '{}'),
  ADD COLUMN tenant_uids uuid[],
  ADD COLUMN providers text[];
--> statement-breakpoint

-- Sending again what an endpoint had, or should have had.
CREATE TABLE delivery_replays (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  status text NOT NULL,
  event_ids uuid[],
  type text,
  of_tenant_uid uuid,
  since timestamp with time zone,
  until timestamp with time zone,
  "only" text,
  rate_per_second integer NOT NULL,
  matched integer,
  replayed integer DEFAULT 0 NOT NULL,
  "position" bigint DEFAULT 0 NOT NULL,
  until_position bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  CONSTRAINT delivery_replays_workspace_id_id_pk PRIMARY KEY (workspace_id, id),
  CONSTRAINT delivery_replays_endpoint_fk FOREIGN KEY (workspace_id, endpoint_id) REFERENCES endpoints (workspace_id, id)
);
--> statement-breakpoint
ALTER TABLE delivery_replays ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE delivery_replays FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace ON delivery_replays TO patchbay_app, patchbay_worker
  USING (workspace_id = (SELECT app.current_workspace()))
  WITH CHECK (workspace_id = (SELECT app.current_workspace()));
--> statement-breakpoint
-- Of the whole workspace: no connect session has anything to do with it.
CREATE POLICY tenant ON delivery_replays AS RESTRICTIVE TO patchbay_app, patchbay_worker
  USING ((SELECT app.current_tenant()) IS NULL)
  WITH CHECK ((SELECT app.current_tenant()) IS NULL);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON delivery_replays TO patchbay_app;
--> statement-breakpoint
GRANT SELECT, UPDATE, DELETE ON delivery_replays TO patchbay_worker;
--> statement-breakpoint
ALTER TABLE deliveries ADD COLUMN replay_id uuid;
--> statement-breakpoint
CREATE INDEX deliveries_replay ON deliveries (workspace_id, replay_id, status) WHERE replay_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX deliveries_endpoint ON deliveries (workspace_id, endpoint_id, id);
--> statement-breakpoint

-- What an endpoint asks for: requests begun per second, and under way at the same time.
ALTER TABLE endpoints ADD COLUMN rate_per_second integer, ADD COLUMN max_in_flight integer;
--> statement-breakpoint
-- Until when lanes with one id are not claimed, since they work as fast, or as many of them, as is allowed.
CREATE TABLE queue.limits (
  workspace_id uuid NOT NULL,
  lane_id uuid NOT NULL,
  free_at timestamp with time zone,
  full_until timestamp with time zone,
  CONSTRAINT limits_workspace_id_lane_id_pk PRIMARY KEY (workspace_id, lane_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON queue.limits TO patchbay_worker;
--> statement-breakpoint
ALTER TABLE queue.lanes ADD COLUMN holds_slot boolean NOT NULL DEFAULT false;
--> statement-breakpoint

-- Strict order: what is about a record waits until everything earlier about it has arrived.
ALTER TABLE endpoints ADD COLUMN delivery_order text NOT NULL DEFAULT 'none';
--> statement-breakpoint
ALTER TABLE deliveries ADD COLUMN order_key uuid;
--> statement-breakpoint
CREATE INDEX deliveries_in_order ON deliveries (workspace_id, endpoint_id, order_key, position)
  WHERE order_key IS NOT NULL AND status <> 'delivered';
--> statement-breakpoint
DROP INDEX deliveries_open;
--> statement-breakpoint
CREATE INDEX deliveries_open ON deliveries (workspace_id, endpoint_id, position) WHERE status IN ('pending', 'held', 'waiting');
