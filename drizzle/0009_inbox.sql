-- Whom an element waits for that could not be routed: a hash of the account or the connection, never its name.
ALTER TABLE inbox_outcomes ADD COLUMN waits_for bytea;
--> statement-breakpoint
CREATE INDEX inbox_outcomes_waiting ON inbox_outcomes (workspace_id, waits_for, inbox_id) WHERE waits_for IS NOT NULL;
--> statement-breakpoint

-- Made by a replay: read when no live hint of the connection waits.
ALTER TABLE dirty_marks ADD COLUMN patient boolean NOT NULL DEFAULT false;
--> statement-breakpoint

-- A replay of what the inbox holds: what it is of, how far it got.
CREATE TABLE inbox_replays (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  status text NOT NULL,
  inbox_ids uuid[],
  provider text,
  source_id uuid,
  connection_id uuid,
  item_status text,
  since timestamp with time zone,
  until timestamp with time zone NOT NULL,
  rate_per_second integer NOT NULL,
  matched integer,
  replayed integer DEFAULT 0 NOT NULL,
  skipped integer DEFAULT 0 NOT NULL,
  failed integer DEFAULT 0 NOT NULL,
  position uuid,
  created_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  CONSTRAINT inbox_replays_workspace_id_id_pk PRIMARY KEY (workspace_id, id)
);
--> statement-breakpoint
ALTER TABLE inbox_replays ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE inbox_replays FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace ON inbox_replays TO patchbay_app, patchbay_worker
  USING (workspace_id = (SELECT app.current_workspace()))
  WITH CHECK (workspace_id = (SELECT app.current_workspace()));
--> statement-breakpoint
-- Of the whole workspace: no connect session has anything to do with it.
CREATE POLICY tenant ON inbox_replays AS RESTRICTIVE TO patchbay_app, patchbay_worker
  USING ((SELECT app.current_tenant()) IS NULL)
  WITH CHECK ((SELECT app.current_tenant()) IS NULL);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON inbox_replays TO patchbay_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_replays TO patchbay_worker;
