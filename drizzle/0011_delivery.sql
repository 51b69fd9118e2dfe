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
