-- The audit log: append-only, one hash chain per workspace. Nobody has UPDATE or DELETE on what was written, and a
-- trigger refuses both to everyone, the owner of the tables included.

CREATE TABLE audit_entries (
	workspace_id uuid NOT NULL,
	sequence bigint NOT NULL,
	recorded_at timestamp (3) with time zone NOT NULL,
	kind text NOT NULL,
	action text NOT NULL,
	actor_kind text NOT NULL,
	actor_id text,
	target_type text NOT NULL,
	target_id text,
	tenant_uid uuid,
	request_id text,
	client_address text,
	details jsonb NOT NULL,
	hash bytea NOT NULL,
	mac bytea NOT NULL,
	mac_key_id uuid NOT NULL,
	CONSTRAINT audit_entries_workspace_id_sequence_pk PRIMARY KEY (workspace_id, sequence)
);
--> statement-breakpoint
CREATE TABLE audit_heads (
	workspace_id uuid PRIMARY KEY NOT NULL,
	sequence bigint NOT NULL,
	hash bytea NOT NULL
);
--> statement-breakpoint
CREATE TABLE audit_signing_keys (
	workspace_id uuid NOT NULL,
	id uuid NOT NULL,
	public_key bytea NOT NULL,
	private_key bytea NOT NULL,
	created_at timestamp (3) with time zone NOT NULL,
	CONSTRAINT audit_signing_keys_workspace_id_id_pk PRIMARY KEY (workspace_id, id)
);
--> statement-breakpoint
CREATE TABLE audit_checkpoints (
	workspace_id uuid NOT NULL,
	sequence bigint NOT NULL,
	hash bytea NOT NULL,
	recorded_at timestamp (3) with time zone NOT NULL,
	signing_key_id uuid NOT NULL,
	signature bytea NOT NULL,
	CONSTRAINT audit_checkpoints_workspace_id_sequence_pk PRIMARY KEY (workspace_id, sequence),
	CONSTRAINT audit_checkpoints_signing_key_fk FOREIGN KEY (workspace_id, signing_key_id)
		REFERENCES audit_signing_keys (workspace_id, id)
);
--> statement-breakpoint
CREATE INDEX audit_entries_recorded_at ON audit_entries (workspace_id, recorded_at);
--> statement-breakpoint
CREATE INDEX audit_entries_action ON audit_entries (workspace_id, action, sequence);
--> statement-breakpoint
CREATE INDEX audit_entries_actor ON audit_entries (workspace_id, actor_id, sequence);
--> statement-breakpoint
CREATE INDEX audit_entries_target ON audit_entries (workspace_id, target_id, sequence);
--> statement-breakpoint
CREATE INDEX audit_entries_tenant ON audit_entries (workspace_id, tenant_uid, sequence);
--> statement-breakpoint

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['audit_entries', 'audit_heads', 'audit_signing_keys', 'audit_checkpoints'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY workspace ON %I TO patchbay_app, patchbay_worker '
      'USING (workspace_id = (SELECT app.current_workspace())) '
      'WITH CHECK (workspace_id = (SELECT app.current_workspace()))', name);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO patchbay_app, patchbay_worker', name);
  END LOOP;
END $$;
--> statement-breakpoint
GRANT UPDATE (sequence, hash) ON audit_heads TO patchbay_app, patchbay_worker;
--> statement-breakpoint

CREATE FUNCTION app.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
--> statement-breakpoint
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
--> statement-breakpoint
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_signing_keys
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
--> statement-breakpoint
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON audit_heads
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
--> statement-breakpoint

-- The end of a chain moves on: set back, it would make every later entry collide.
CREATE FUNCTION app.refuse_rewind() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF NEW.sequence > OLD.sequence OR (NEW.sequence = OLD.sequence AND NEW.hash = OLD.hash) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the end of an audit log only moves on' USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER moves_on BEFORE UPDATE ON audit_heads FOR EACH ROW EXECUTE FUNCTION app.refuse_rewind();
