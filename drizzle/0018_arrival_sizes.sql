-- What waits from before counts as large: a router takes few of them at a time.
ALTER TABLE queue.arrivals ADD COLUMN body_bytes integer DEFAULT 1048576 NOT NULL;
