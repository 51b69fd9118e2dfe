import { z } from "zod";

export const PAGE_SIZE_MAX = 100;
export const PAGE_SIZE_DEFAULT = 50;

/** One page of a list. */
export interface Page<Item> {
  readonly data: readonly Item[];
  /** Whether asking again with `nextCursor` gives more now. */
  readonly hasMore: boolean;
  /** Opaque. For feeds it is never `null`, so that polling can go on from the last item seen. */
  readonly nextCursor: string | null;
}

/** The schema of a page of `item`. `id` names it in the OpenAPI document. */
export function pageOf<Item>(id: string, item: z.ZodType<Item>): z.ZodType<Page<Item>> {
  return z.strictObject({ data: z.array(item), hasMore: z.boolean(), nextCursor: z.string().nullable() }).meta({ id });
}

/** Query parameters of every list: `limit` 1–100 (50), `cursor` from the page before. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(PAGE_SIZE_MAX).default(PAGE_SIZE_DEFAULT),
  cursor: z.string().min(1).max(512).optional(),
};
