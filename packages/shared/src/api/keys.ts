import { z } from "zod";

/** How many keys stand in which state; old ones open what they sealed and seal no more. */
export interface KeyCounts {
  readonly active: number;
  readonly old: number;
  readonly destroyed: number;
}
const KeyCounts: z.ZodType<KeyCounts> = z.strictObject({ active: z.int(), old: z.int(), destroyed: z.int() });

export const KEY_ROTATION_KINDS = ["data", "workspaceKey"] as const;
export type KeyRotationKind = (typeof KEY_ROTATION_KINDS)[number];

/** The renewal of a workspace's keys, on its way. */
export interface KeyRotation {
  readonly workspaceId: string;
  readonly kind: KeyRotationKind;
  /** `waiting`: all that was found is renewed; old keys may still be in use, and are looked after at `nextPassAt`. */
  readonly state: "running" | "waiting";
  readonly pass: number;
  /** Column and row before which this pass is done; `null` at its start. */
  readonly position: string | null;
  /** Values sealed anew, or keys wrapped anew, over all passes. */
  readonly renewed: number;
  /** What this pass could not open so far. Above 0 the rotation cannot end: the old keys stay. */
  readonly unopened: number;
  readonly retired: number;
  readonly startedAt: string;
  readonly nextPassAt: string | null;
}
const KeyRotation: z.ZodType<KeyRotation> = z.strictObject({
  workspaceId: z.string(),
  kind: z.enum(KEY_ROTATION_KINDS),
  state: z.enum(["running", "waiting"]),
  pass: z.int(),
  position: z.string().nullable(),
  renewed: z.int(),
  unopened: z.int(),
  retired: z.int(),
  startedAt: z.iso.datetime(),
  nextPassAt: z.iso.datetime().nullable(),
});

/** One version of a key-encryption key, which lives outside the database. */
export interface KeyVersion {
  readonly provider: string;
  readonly version: string;
  /** Wraps new keys. */
  readonly primary: boolean;
  /** Whether the answering process holds it. */
  readonly configured: boolean;
  /** Workspace keys that it wraps; with 0, and not primary, it may be retired. */
  readonly workspaceKeys: number;
}
const KeyVersion: z.ZodType<KeyVersion> = z.strictObject({
  provider: z.string(),
  version: z.string(),
  primary: z.boolean(),
  configured: z.boolean(),
  workspaceKeys: z.int(),
});

/** How the vault's keys stand. */
export interface KeyStatus {
  readonly versions: readonly KeyVersion[];
  /** Workspace keys that the primary version does not wrap yet. */
  readonly pending: number;
  /** Running processes, and the versions that each holds, the one that wraps first. */
  readonly nodes: readonly { readonly id: string; readonly versions: readonly string[]; readonly seenAt: string }[];
  readonly workspaceKeys: KeyCounts;
  readonly dataKeys: KeyCounts;
  readonly rotations: readonly KeyRotation[];
}
export const KeyStatus: z.ZodType<KeyStatus> = z
  .strictObject({
    versions: z.array(KeyVersion),
    pending: z.int(),
    nodes: z.array(z.strictObject({ id: z.string(), versions: z.array(z.string()), seenAt: z.iso.datetime() })),
    workspaceKeys: KeyCounts,
    dataKeys: KeyCounts,
    rotations: z.array(KeyRotation),
  })
  .meta({ id: "KeyStatus" });

export interface StartKeyRotation {
  readonly kind: KeyRotationKind;
}
export const StartKeyRotation: z.ZodType<StartKeyRotation> = z
  .strictObject({ kind: z.enum(KEY_ROTATION_KINDS) })
  .meta({ id: "StartKeyRotation" });

export interface StartedKeyRotation {
  readonly kind: KeyRotationKind;
  /** Keys that became old; a worker renews what they sealed or wrapped. */
  readonly retired: number;
}
export const StartedKeyRotation: z.ZodType<StartedKeyRotation> = z
  .strictObject({ kind: z.enum(KEY_ROTATION_KINDS), retired: z.int() })
  .meta({ id: "StartedKeyRotation" });
