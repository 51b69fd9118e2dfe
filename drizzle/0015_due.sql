-- Which workspaces a sweep has to look at, and when: ids and times only. So that a workspace in which nothing happens
-- costs nothing, however many there are.
CREATE TABLE queue.due (
  id uuid PRIMARY KEY NOT NULL,
  workspace_id uuid NOT NULL,
  task text NOT NULL,
  due_at timestamp with time zone NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01);
--> statement-breakpoint
CREATE INDEX due_task ON queue.due (task, due_at);
--> statement-breakpoint
CREATE INDEX due_workspace ON queue.due (task, workspace_id);
--> statement-breakpoint
GRANT INSERT ON queue.due TO patchbay_app;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON queue.due TO patchbay_worker;
--> statement-breakpoint

-- Whatever changes what a sweep reads has it look, in the same transaction: no writer can forget to. Each change is a
-- row of its own, so that nobody waits for anybody. Outside every workspace, when a backup is loaded, nothing is marked:
-- the backup has its own rows.
CREATE FUNCTION queue.mark_due() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  INSERT INTO queue.due (id, workspace_id, task, due_at)
  SELECT gen_random_uuid(), coalesce(NEW.workspace_id, OLD.workspace_id), task, now() FROM unnest(TG_ARGV) AS task
  WHERE nullif(current_setting('app.workspace_id', true), '') IS NOT NULL;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER due_runs AFTER INSERT OR UPDATE OF next_run_at, status ON connections
  FOR EACH ROW EXECUTE FUNCTION queue.mark_due('runs');
--> statement-breakpoint
CREATE TRIGGER due_ended AFTER INSERT OR UPDATE OF status, grant_id, ended_at OR DELETE ON connections
  FOR EACH ROW EXECUTE FUNCTION queue.mark_due('authorizations', 'subscriptions');
--> statement-breakpoint
CREATE TRIGGER due_left AFTER INSERT ON subscriptions
  FOR EACH ROW EXECUTE FUNCTION queue.mark_due('subscriptions');
--> statement-breakpoint
CREATE TRIGGER due_expiry AFTER INSERT ON connect_sessions
  FOR EACH ROW EXECUTE FUNCTION queue.mark_due('authorizations');
--> statement-breakpoint
CREATE TRIGGER due_expiry AFTER INSERT OR UPDATE OF status, expires_at, grant_id OR DELETE ON authorizations
  FOR EACH ROW EXECUTE FUNCTION queue.mark_due('authorizations');
--> statement-breakpoint
CREATE TRIGGER due_fate AFTER INSERT OR UPDATE OF state, dead_since, death_told_at ON grants
  FOR EACH ROW EXECUTE FUNCTION queue.mark_due('fates', 'authorizations');
--> statement-breakpoint
CREATE TRIGGER due_rotation AFTER INSERT OR UPDATE OF state, rotate_at ON grants
  FOR EACH ROW EXECUTE FUNCTION queue.mark_due('credentials');
--> statement-breakpoint
CREATE TRIGGER due_keys AFTER INSERT OR UPDATE OF state ON key_rotations
  FOR EACH ROW EXECUTE FUNCTION queue.mark_due('keys');
--> statement-breakpoint
INSERT INTO queue.due (id, workspace_id, task, due_at)
SELECT gen_random_uuid(), workspace_id, task, now() FROM queue.workspaces,
  unnest(ARRAY['runs', 'authorizations', 'subscriptions', 'fates', 'credentials', 'keys']) AS task;
