import type { BudgetObservation, PagedList } from "../../../connectors/kit/index.ts";

/** Items asked for per page, and the most that was not too much so far. */
export interface PageSize {
  readonly size: number;
  readonly ceiling: number;
}

/** Pages that take longer than this shrink; those that take less than a fifth of it grow. */
const PAGE_MS_MAX = 10_000;
/** One page may take this share of the whole budget. */
const BUDGET_SHARE_MAX = 0.5;

export function firstPageSize({ initial, max }: PagedList["pageSize"]): PageSize {
  return { size: initial, ceiling: max };
}

/** After a page that came: dear or slow ones shrink, cheap and quick ones grow up to what is known to work. */
export function afterPage(
  now: PageSize,
  bounds: PagedList["pageSize"],
  page: { readonly elapsedMs: number; readonly budget: BudgetObservation | null },
): PageSize {
  const share = page.budget === null || page.budget.limit <= 0 ? 0 : page.budget.cost / page.budget.limit;
  if (page.elapsedMs > PAGE_MS_MAX || share > BUDGET_SHARE_MAX)
    return { ...now, size: within(now.size * 0.75, bounds) };
  if (page.elapsedMs > PAGE_MS_MAX / 5 || share > BUDGET_SHARE_MAX / 4) return now;
  return { ...now, size: Math.min(within(now.size * 1.5, bounds), now.ceiling) };
}

/** After a page that was too large: half of it, and never again that much. `null`: it cannot be smaller. */
export function afterTooLarge(now: PageSize, bounds: PagedList["pageSize"]): PageSize | null {
  if (now.size <= bounds.min) return null;
  const size = within(now.size / 2, bounds);
  return { size, ceiling: size };
}

function within(size: number, { min, max }: PagedList["pageSize"]): number {
  return Math.max(min, Math.min(max, Math.floor(size)));
}
