-- Rotation of the vault's keys: since when a key only opens, how far a rotation is, what running processes hold.

ALTER TABLE data_keys ADD COLUMN decrypt_only_since timestamp with time zone;
--> statement-breakpoint
ALTER TABLE workspace_keys ADD COLUMN decrypt_only_since timestamp with time zone;
--> statement-breakpoint
CREATE TABLE key_rotations (
	workspace_id uuid NOT NULL,
	id uuid NOT NULL,
	kind text NOT NULL,
	state text NOT NULL,
	pass integer DEFAULT 1 NOT NULL,
	pass_started_at timestamp with time zone NOT NULL,
	position jsonb,
	found bigint DEFAULT 0 NOT NULL,
	renewed bigint DEFAULT 0 NOT NULL,
	retired integer DEFAULT 0 NOT NULL,
	destroyed integer DEFAULT 0 NOT NULL,
	next_pass_at timestamp with time zone,
	started_at timestamp with time zone NOT NULL,
	finished_at timestamp with time zone,
	CONSTRAINT key_rotations_workspace_id_id_pk PRIMARY KEY (workspace_id, id)
);
--> statement-breakpoint
CREATE UNIQUE INDEX key_rotations_open ON key_rotations (workspace_id, kind) WHERE state <> 'done';
--> statement-breakpoint
ALTER TABLE key_rotations ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE key_rotations FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace ON key_rotations TO patchbay_app, patchbay_worker
  USING (workspace_id = (SELECT app.current_workspace())) WITH CHECK (workspace_id = (SELECT app.current_workspace()));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON key_rotations TO patchbay_app, patchbay_worker;
--> statement-breakpoint

-- Holds no workspace's data: one row per running process.
CREATE TABLE vault_nodes (
	node_id uuid PRIMARY KEY NOT NULL,
	versions text[] NOT NULL,
	started_at timestamp with time zone NOT NULL,
	seen_at timestamp with time zone NOT NULL
);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON vault_nodes TO patchbay_worker;
--> statement-breakpoint

-- Canaries are renewed when the format changes, and go when nothing needs their version any more.
GRANT UPDATE, DELETE ON vault_canaries TO patchbay_worker;
