import type postgres from "postgres";

/**
 * Puts an onlooker into the database that notes what no history shows: a process that writes for a lane, or takes a
 * lane's lease away, while another holds it. It looks when a transaction commits, so that what is rolled back does not
 * count, and knows processes by the name that `child-hooks.ts` gives their connections.
 */
export async function addOnlooker(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(ONLOOKER);
}

/** What it has seen. */
export async function staleWrites(sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql<{ detail: string }[]>`select detail from onlooker.stale_writes order by at`;
  return rows.map(({ detail }) => detail);
}

const ONLOOKER = `
  create schema onlooker;
  create table onlooker.holders (token text primary key, process text not null);
  create table onlooker.stale_writes (at timestamptz not null default clock_timestamp(), detail text not null);
  grant usage on schema onlooker to public;

  create function onlooker.note_lease() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
  declare writer text := current_setting('application_name');
  begin
    if old.lease_token is not null and old.lease_until > clock_timestamp() and not exists (
      select 1 from onlooker.holders h where h.token = old.lease_token::text and h.process = writer
    ) then
      insert into onlooker.stale_writes (detail) values
        (format('%s took the lease of %s lane %s, which is not its own', writer, new.kind, new.lane_id));
    end if;
    if new.lease_token is not null then
      insert into onlooker.holders values (new.lease_token::text, writer) on conflict do nothing;
    end if;
    return null;
  end $$;
  create trigger onlooker after update on queue.lanes for each row
    when (old.lease_token is distinct from new.lease_token) execute function onlooker.note_lease();

  create function onlooker.require_lease(lane_kind text, lane uuid, tenant uuid, what text) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
  declare writer text := current_setting('application_name');
  begin
    if exists (
      select 1 from queue.lanes l join onlooker.holders h on h.token = l.lease_token::text
      where l.kind = lane_kind and l.lane_id = lane and l.tenant_uid = tenant and h.process = writer
    ) then return; end if;
    insert into onlooker.stale_writes (detail) values (format('%s by %s without the lease of lane %s', what, writer, lane));
  end $$;

  create function onlooker.check_record() returns trigger language plpgsql as $$
  begin
    perform onlooker.require_lease('connection', new.connection_id, new.tenant_uid, 'a record');
    return null;
  end $$;
  create constraint trigger onlooker after insert or update on records deferrable initially deferred for each row
    execute function onlooker.check_record();

  create function onlooker.check_attempt() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
  declare tenant uuid := (select d.tenant_uid from public.deliveries d where d.id = new.delivery_id and d.workspace_id = new.workspace_id);
  begin
    if tenant is not null then perform onlooker.require_lease('delivery', new.endpoint_id, tenant, 'an attempt'); end if;
    return null;
  end $$;
  create constraint trigger onlooker after insert on attempts deferrable initially deferred for each row
    execute function onlooker.check_attempt();`;
