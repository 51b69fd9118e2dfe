-- A lane may rest: nothing in it is worked before then, however much waits, but what is urgent. So an endpoint that is
-- down costs one row and not one for each delivery that waits for it.
ALTER TABLE queue.lanes ADD COLUMN rest_until timestamp with time zone;
--> statement-breakpoint
ALTER TABLE queue.feed ADD COLUMN urgent boolean NOT NULL DEFAULT false;
--> statement-breakpoint
ALTER TABLE queue.items ADD COLUMN urgent boolean NOT NULL DEFAULT false;
--> statement-breakpoint
CREATE INDEX items_urgent ON queue.items (workspace_id, kind, lane_id, tenant_uid, run_at) WHERE urgent;
