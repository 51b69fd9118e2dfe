-- Restores of this database from a backup, ids and times only. While the newest is unconfirmed, nothing goes out.
CREATE TABLE queue.restores (
	id uuid PRIMARY KEY NOT NULL,
	backup_taken_at timestamp with time zone NOT NULL,
	restored_at timestamp with time zone NOT NULL,
	confirmed_at timestamp with time zone
);
--> statement-breakpoint
-- Written by the restore, as the owner; confirmed by an operator, through the worker's role.
GRANT SELECT, UPDATE (confirmed_at) ON queue.restores TO patchbay_worker;
