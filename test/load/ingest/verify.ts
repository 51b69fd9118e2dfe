import type { Ground } from "../kit/ground.ts";
import type { LoadResult } from "../kit/load-plan.ts";

/** @returns what was answered 200 and is not in the inbox, or is there more than once, in words */
export async function findMissing(ground: Ground, idPrefix: string, result: LoadResult): Promise<readonly string[]> {
  const rows = await ground.sql<{ id: string }[]>`
    select headers->>'x-shopify-webhook-id' as id from inbox where headers->>'x-shopify-webhook-id' like ${`${idPrefix}%`}`;
  const stored = new Map<string, number>();
  for (const { id } of rows) stored.set(id, (stored.get(id) ?? 0) + 1);
  const missing = Array.from(result.accepted).filter((n) => !stored.has(`${idPrefix}${n}`));
  const doubled = [...stored.values()].filter((count) => count > 1).length;
  return [
    ...(missing.length === 0 ? [] : [`${missing.length} webhooks were answered 200 and are not stored`]),
    ...(doubled === 0 ? [] : [`${doubled} webhooks that were sent once are stored several times`]),
  ];
}

/** Between phases: what the last one stored is no load of the next. */
export async function clearInbox(ground: Ground): Promise<void> {
  await ground.sql`truncate inbox, inbox_outcomes, inbox_dedupe, queue.arrivals`;
}
