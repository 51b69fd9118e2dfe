import { sql } from "drizzle-orm";
import { createHash } from "node:crypto";
import type { Tx } from "./database.ts";

/**
 * Functions that run with the owner's rights, each with its reason and the SHA-256 of its body. Each takes a day, reads
 * no row and answers whether there was anything to do. `drizzle/0013_inbox.sql` says why there are any.
 */
const LENT: Readonly<Record<string, string>> = {
  // Only the owner of a table may attach a partition. Makes what is not there.
  "app.open_inbox_day(day date)": "946da632b9e83f3314f1855dca2eada1683ab9fbc4fd23c8f96dcdddef03b7c3",
  // Only the owner may drop one. Refuses what is younger than seven days.
  "app.drop_inbox_day(day date)": "cadf66b3d5743f395f8cf74a6dd9321ef7c0077b53ddffdde5a925921502176e",
};
const OWNER = "patchbay_owner";
/** Names that a caller's session puts before the catalog's are not looked at. */
const SEARCH_PATH = "search_path=pg_catalog, pg_temp";
const CALLERS = "patchbay_maintenance, patchbay_owner";

/** Functions with their owner's rights that are not of {@link LENT}, word for word and for the same callers. */
export async function lentProblems(tx: Tx): Promise<readonly string[]> {
  const rows = await tx.execute<{
    name: string;
    source: string;
    owner: string;
    settings: string;
    callers: string[];
  }>(sql`
    select format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name, p.prosrc as source,
           pg_get_userbyid(p.proowner) as owner, array_to_string(p.proconfig, '; ') as settings,
           array(select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee)::text end
                 from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a order by 1) as callers
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('public', 'app', 'queue') and p.prosecdef`);
  return rows
    .filter(
      ({ name, source, owner, settings, callers }) =>
        LENT[name] !== sha256(source) || owner !== OWNER || settings !== SEARCH_PATH || callers.join(", ") !== CALLERS,
    )
    .map(({ name }) => `function ${name} runs with the rights of its owner`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
