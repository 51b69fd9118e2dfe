import { z } from "zod";
import { pageQuery } from "../pagination.ts";

/** Something that an erasure could not, or may not, remove at once. */
export interface ErasureRemainder {
  /**
   * `database_backups`: the tenant's data keys, wrapped, and under them its data, in backups and write-ahead logs.
   * `raw_webhooks`: what providers sent to addresses of a whole app, sealed, and the headers of all webhooks.
   * `replayed_answers`: answers kept for `Idempotency-Key`, sealed. `audit_log`: who did what, by ids only.
   * `delivered_events`: what you received before.
   */
  readonly what: "database_backups" | "raw_webhooks" | "replayed_answers" | "audit_log" | "delivered_events";
  /** When it is gone at the latest; `null`: Patchbay cannot know, or it stays. */
  readonly until: string | null;
  /** What else ends it, and what it means, in a sentence. */
  readonly detail: string;
}

/** The erasure of a tenant, and its receipt. Holds no personal data, not even your id of the tenant. */
export interface Erasure {
  /** `era_…` */
  readonly id: string;
  /** The tenant as Patchbay knew it: random, and never used again. Audit entries carry it too. */
  readonly tenantRef: string;
  /** `erasing`: unreadable already, rows are being removed. `completed`: no row of the tenant is left. */
  readonly status: "erasing" | "completed";
  readonly requestedAt: string;
  /** From here on nothing that was sealed for the tenant can be read in the live database. */
  readonly shreddedAt: string;
  readonly completedAt: string | null;
  readonly keysDestroyed: number;
  /** Table → rows. Where deliveries of providers are listed, it is the name of the tenant that was removed. */
  readonly rowsRemoved: Readonly<Record<string, number>>;
  /** Access at providers: given back and destroyed; left alone, since another tenant uses it; still to be given back. */
  readonly grants: { readonly destroyed: number; readonly shared: number; readonly pending: number };
  /**
   * `told`: all providers know that we want no more access. `pending`: one could not be reached yet; its tokens stay
   * sealed, and are used for nothing but telling it. `unreachable`: given up after a week, the tokens were destroyed.
   * `none`: there was nothing to tell.
   */
  readonly provider: "none" | "pending" | "told" | "unreachable";
  readonly remains: readonly ErasureRemainder[];
}
export const Erasure: z.ZodType<Erasure> = z
  .strictObject({
    id: z.string(),
    tenantRef: z.string(),
    status: z.enum(["erasing", "completed"]),
    requestedAt: z.iso.datetime(),
    shreddedAt: z.iso.datetime(),
    completedAt: z.iso.datetime().nullable(),
    keysDestroyed: z.int(),
    rowsRemoved: z.record(z.string(), z.int()),
    grants: z.strictObject({ destroyed: z.int(), shared: z.int(), pending: z.int() }),
    provider: z.enum(["none", "pending", "told", "unreachable"]),
    remains: z.array(
      z.strictObject({
        what: z.enum(["database_backups", "raw_webhooks", "replayed_answers", "audit_log", "delivered_events"]),
        until: z.iso.datetime().nullable(),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: "Erasure" });

export const ListErasuresQuery = z.strictObject(pageQuery);
