-- Nobody reads or writes it: what fences a sequencer that is late is the lock on this row.
ALTER TABLE event_heads DROP COLUMN lease_token;
