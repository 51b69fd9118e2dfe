import { z } from "zod";
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../pagination.ts";

const recordFilters = {
  provider: z.string().max(40).optional(),
  connectionId: z.string().optional(),
  /** Records that changed after this `changeSeq`. */
  changedAfterSeq: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
  /** By the provider's clock. */
  updatedAfter: z.iso.datetime().optional(),
  /** Tombstones too; default false. */
  includeDeleted: z.stringbool().default(false),
  expand: z.literal("raw").optional(),
};

/** Query of `GET /v1/tenants/{tenant}/records/{model}`, ordered by `changeSeq`. */
export const ListRecordsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_SIZE_MAX).default(PAGE_SIZE_DEFAULT),
  cursor: z.string().min(1).max(512).optional(),
  ...recordFilters,
});

/** Query of `GET /v1/tenants/{tenant}/records/{model}/export`: all of them, ordered by `changeSeq`. */
export const ExportRecordsQuery = z.strictObject(recordFilters);
