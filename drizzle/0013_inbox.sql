-- Days of the inbox are opened and dropped by a role that may do these two things and nothing else.
--
-- Postgres lets only the owner of a table attach and drop its partitions, and an owner may do anything to its table, row
-- security included. So `patchbay_maintenance` owns nothing: it borrows the owner's rights for the two steps, through
-- functions that take a day and say how far they go. The start refuses a database where they say anything else.
GRANT USAGE ON SCHEMA app TO patchbay_maintenance;
--> statement-breakpoint

-- Made beside the inbox and attached then, which lets deliveries in meanwhile; CREATE … PARTITION OF would not. With no
-- policy of its own: nobody reads or writes past the parent.
CREATE FUNCTION app.open_inbox_day(day date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partition text := 'inbox_' || to_char(day, 'YYYYMMDD');
BEGIN
  IF EXISTS (
    SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.inbox'::regclass AND c.relname = partition
  ) THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE public.%I (LIKE public.inbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
  EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE public.inbox ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', partition,
    to_char(day, 'YYYY-MM-DD') || ' 00:00+00', to_char(day + 1, 'YYYY-MM-DD') || ' 00:00+00');
  RETURN true;
END $$;
--> statement-breakpoint

-- Whatever it is asked, what came in the last seven days stays.
CREATE FUNCTION app.drop_inbox_day(day date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partition text := 'inbox_' || to_char(day, 'YYYYMMDD');
BEGIN
  IF day >= (now() AT TIME ZONE 'UTC')::date - 7 THEN
    RAISE EXCEPTION 'deliveries are kept for seven days at least' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT EXISTS (
    SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.inbox'::regclass AND c.relname = partition
  ) THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE public.%I', partition);
  RETURN true;
END $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.open_inbox_day(date), app.drop_inbox_day(date) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.open_inbox_day(date), app.drop_inbox_day(date) TO patchbay_maintenance;
