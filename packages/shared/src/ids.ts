/**
 * Identifiers at the edge: `<prefix>_<26 characters>`, lower-case Crockford base 32 of a UUID.
 *
 * Inside, ids are UUID strings with a brand; only the edge sees prefixes.
 *
 * @module
 * @see https://github.com/jetify-com/typeid/tree/main/spec (encoding of the suffix)
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type WorkspaceId = Branded<"WorkspaceId">;
export type ApiKeyId = Branded<"ApiKeyId">;
/** One incarnation of a tenant. The host's own id of it lives in `tenants` alone. */
export type TenantUid = Branded<"TenantUid">;
export type ProviderAppId = Branded<"ProviderAppId">;
export type GrantId = Branded<"GrantId">;
export type ConnectionId = Branded<"ConnectionId">;
export type ConnectSessionId = Branded<"ConnectSessionId">;
export type AuthorizationId = Branded<"AuthorizationId">;
export type RecordId = Branded<"RecordId">;
export type RunId = Branded<"RunId">;
export type SourceId = Branded<"SourceId">;
export type InboxId = Branded<"InboxId">;
export type EventId = Branded<"EventId">;
export type EndpointId = Branded<"EndpointId">;
export type DeliveryId = Branded<"DeliveryId">;
export type AttemptId = Branded<"AttemptId">;
export type DeliveryReplayId = Branded<"DeliveryReplayId">;
export type ReplayId = Branded<"ReplayId">;
export type ErasureId = Branded<"ErasureId">;
export type DataKeyId = Branded<"DataKeyId">;

/** Every id that crosses the edge, and the prefix it wears there. */
export interface EdgeIds {
  readonly ws: WorkspaceId;
  readonly key: ApiKeyId;
  /** A tenant's incarnation, where the host's own id of it must not stand: the audit log. */
  readonly ten: TenantUid;
  readonly papp: ProviderAppId;
  readonly conn: ConnectionId;
  readonly cs: ConnectSessionId;
  readonly auth: AuthorizationId;
  readonly run: RunId;
  readonly src: SourceId;
  readonly inb: InboxId;
  readonly evt: EventId;
  readonly we: EndpointId;
  readonly dlv: DeliveryId;
  readonly att: AttemptId;
  readonly era: ErasureId;
  /** A replay of what the inbox holds. */
  readonly irp: ReplayId;
  /** A replay of deliveries. */
  readonly drp: DeliveryReplayId;
  readonly acct: RecordId;
  readonly cus: RecordId;
  readonly prod: RecordId;
  readonly var: RecordId;
  readonly ord: RecordId;
  readonly ref: RecordId;
}
export type IdPrefix = keyof EdgeIds;

/** The edge form of an id: `encodeId("conn", id)` → `conn_01jd…`. */
export function encodeId<P extends IdPrefix>(prefix: P, id: EdgeIds[P]): string {
  return `${prefix}_${encodeUuid(id)}`;
}

/** The id inside an edge form, or `null` when `text` is not one with this prefix. */
export function decodeId<P extends IdPrefix>(prefix: P, text: string): EdgeIds[P] | null {
  if (!text.startsWith(`${prefix}_`)) return null;
  // The brand is what this function establishes: a well-formed UUID behind the right prefix.
  return decodeUuid(text.slice(prefix.length + 1)) as EdgeIds[P] | null;
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** 128 bits as 26 characters, first character 0–7. */
export function encodeUuid(uuid: string): string {
  if (!UUID.test(uuid)) throw new Error("not a lower-case UUID");
  let value = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let text = "";
  for (let i = 0; i < 26; i++) {
    text = ALPHABET.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return text;
}

/** Inverse of {@link encodeUuid}; `null` for anything that it cannot have made. */
export function decodeUuid(text: string): string | null {
  if (!/^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text)) return null;
  let value = 0n;
  for (const character of text) value = (value << 5n) | BigInt(ALPHABET.indexOf(character));
  const hex = value.toString(16).padStart(32, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
