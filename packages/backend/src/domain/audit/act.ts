import type { AuditActorKind, AuditDetails, AuditKind, TenantUid } from "@patchbay/shared";

/** `<what>.<verb>`: `connection.pause`, `api_key.rotate`. */
export type AuditAction = `${string}.${string}`;

/** Who did it. `id` is an id at the edge (`key_…`, `usr_…`), never a name, an address or a host's own id of a person. */
export interface Actor {
  readonly kind: AuditActorKind;
  readonly id: string | null;
}

/** Something to be remembered: ids and codes only, since nothing of it can ever be erased. */
export interface AuditAct {
  readonly actor: Actor;
  readonly action: AuditAction;
  /** `id` at the edge: `conn_…`. */
  readonly target: { readonly type: string; readonly id: string | null };
  readonly tenantUid?: TenantUid | null;
  readonly details?: AuditDetails;
  /** Default: `fact`. */
  readonly kind?: AuditKind;
  readonly requestId?: string | null;
  readonly clientAddress?: string | null;
}

const DETAILS_MAX = 20;
const TEXT_CHARACTERS_MAX = 200;

/** @throws Error for what no caller of ours may say: a bug, not somebody's input */
export function checkAct(act: AuditAct): void {
  if (!/^[a-z_]{1,60}\.[a-z_]{1,60}$/.test(act.action)) throw new Error("an audit action is <what>.<verb>");
  const details = Object.values(act.details ?? {});
  if (details.length > DETAILS_MAX) throw new Error("an audit entry has too many details");
  for (const text of [act.actor.id, act.target.type, act.target.id, act.requestId, act.clientAddress, ...details]) {
    if (typeof text === "number" && !Number.isFinite(text)) throw new Error("an audit entry holds no such number");
    if (
      typeof text === "string" &&
      (text.length > TEXT_CHARACTERS_MAX || /\p{Cc}/u.test(text) || !text.isWellFormed())
    ) {
      throw new Error("an audit entry holds short printable texts only");
    }
  }
}
