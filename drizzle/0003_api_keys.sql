-- Keys with two live secrets while one takes the other's place, and with networks that they may be used from.
ALTER TABLE api_keys
	ADD COLUMN previous_secret_hash bytea,
	ADD COLUMN previous_secret_until timestamp with time zone,
	ADD COLUMN allowed_networks text[] DEFAULT '{}' NOT NULL;
