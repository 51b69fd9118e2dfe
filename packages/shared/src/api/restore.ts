import { z } from "zod";

/** A connection whose credentials may be others at the provider than in the backup. */
export interface ConnectionAtRisk {
  readonly workspaceId: string;
  /** Your id. */
  readonly tenantId: string;
  /** `conn_…` */
  readonly connectionId: string;
  readonly provider: string;
  /**
   * `singleUse`: every refresh ends the token before. `untilReplaced`: the token before works until the new one was
   * used. `ownRotation`: Patchbay replaces the key by itself.
   */
  readonly why: "singleUse" | "untilReplaced" | "ownRotation";
  /**
   * A refresh was due between backup and restore: had the source run until then, the saved token is of the past. Its
   * owner may have to authorize again.
   */
  readonly due: boolean;
}
const ConnectionAtRisk: z.ZodType<ConnectionAtRisk> = z.strictObject({
  workspaceId: z.string(),
  tenantId: z.string(),
  connectionId: z.string(),
  provider: z.string(),
  why: z.enum(["singleUse", "untilReplaced", "ownRotation"]),
  due: z.boolean(),
});

/** Whether this installation came out of a backup, and waits for its operator. */
export interface RestoreStatus {
  /** Nothing goes out, and nothing is changed, until the restore is confirmed. */
  readonly held: boolean;
  /** The newest restore; `null`: there was none. */
  readonly restore: {
    /** The instant that the backup showed. */
    readonly backupTakenAt: string;
    readonly restoredAt: string;
    readonly confirmedAt: string | null;
  } | null;
  /** While held; the first 1,000. */
  readonly connectionsAtRisk: readonly ConnectionAtRisk[];
  readonly connectionsAtRiskCount: number;
}
export const RestoreStatus: z.ZodType<RestoreStatus> = z
  .strictObject({
    held: z.boolean(),
    restore: z
      .strictObject({
        backupTakenAt: z.iso.datetime(),
        restoredAt: z.iso.datetime(),
        confirmedAt: z.iso.datetime().nullable(),
      })
      .nullable(),
    connectionsAtRisk: z.array(ConnectionAtRisk),
    connectionsAtRiskCount: z.int(),
  })
  .meta({ id: "RestoreStatus" });

export const REPEATED_ERASURES_MAX = 100;

/** Tenants that were erased after the backup was taken, as erasure receipts name them. */
export interface RepeatErasures {
  /** `ten_…` */
  readonly tenantRefs: readonly string[];
}
export const RepeatErasures: z.ZodType<RepeatErasures> = z
  .strictObject({ tenantRefs: z.array(z.string().max(60)).min(1).max(REPEATED_ERASURES_MAX) })
  .meta({ id: "RepeatErasures" });

/** What came of each. */
export interface RepeatedErasures {
  readonly data: readonly {
    readonly tenantRef: string;
    /** `erased`: it was in the backup. `absent`: it was not, or was erased there already. */
    readonly result: "erased" | "absent";
  }[];
}
export const RepeatedErasures: z.ZodType<RepeatedErasures> = z
  .strictObject({ data: z.array(z.strictObject({ tenantRef: z.string(), result: z.enum(["erased", "absent"]) })) })
  .meta({ id: "RepeatedErasures" });
