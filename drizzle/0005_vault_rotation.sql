-- Canaries are renewed when the format changes, and go when nothing needs their version any more.
GRANT UPDATE, DELETE ON vault_canaries TO patchbay_worker;
