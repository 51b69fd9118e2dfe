import type { DataKeyId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { randomBytes, type KeyObject } from "node:crypto";
import { pae } from "./pae.ts";
import { XAES_NONCE_BYTES, XAES_TAG_BYTES, openXaes, sealXaes } from "./xaes.ts";

/** Where a sealed value stands. It opens nowhere else: not in another row, column, table or version of the row. */
export interface Place {
  readonly table: string;
  readonly rowId: string;
  readonly column: string;
  readonly rowVersion: number;
}

/** A data key with all that its envelopes are bound to. */
export interface OpenKey {
  readonly id: DataKeyId;
  readonly workspaceId: WorkspaceId;
  /** The nil UUID for keys of the workspace itself. */
  readonly tenantUid: TenantUid;
  /** Prints as `SecretKeyObject {}`, so that it cannot leak through a log. */
  readonly key: KeyObject;
}

const VERSION = 1;
/** 1 was set aside for plain AES-256-GCM; nothing writes or reads it. */
const ALGORITHM_XAES = 2;
const KEY_ID_AT = 2;
const NONCE_AT = KEY_ID_AT + 16;
const TEXT_AT = NONCE_AT + XAES_NONCE_BYTES;
const ENVELOPE_BYTES_MIN = TEXT_AT + XAES_TAG_BYTES;

/** `version: 1 | algorithm: 1 | data key id: 16 | nonce: 24 | ciphertext | tag: 16`, 58 bytes more than `plain`. */
export function sealEnvelope(key: OpenKey, place: Place, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(XAES_NONCE_BYTES);
  const sealed = sealXaes(key.key, nonce, plain, additionalData(key, place));
  return Buffer.concat([Buffer.from([VERSION, ALGORITHM_XAES]), uuidBytes(key.id), nonce, sealed]);
}

/** @throws Error when the envelope was changed, or belongs to another place or key */
export function openEnvelope(key: OpenKey, place: Place, envelope: Uint8Array): Uint8Array {
  if (keyIdOf(envelope) !== key.id) throw new Error("sealed value belongs to another key");
  const nonce = envelope.subarray(NONCE_AT, TEXT_AT);
  return openXaes(key.key, nonce, envelope.subarray(TEXT_AT), additionalData(key, place));
}

/** The data key that an envelope names. @throws Error for what is no envelope of a known version; never a fallback */
export function keyIdOf(envelope: Uint8Array): DataKeyId {
  if (envelope.byteLength < ENVELOPE_BYTES_MIN) throw new Error("sealed value is too short");
  if (envelope[0] !== VERSION || envelope[1] !== ALGORITHM_XAES) throw new Error("sealed value of an unknown format");
  const hex = Buffer.from(envelope.subarray(KEY_ID_AT, NONCE_AT)).toString("hex");
  // The brand holds as far as the tag: a changed id does not open.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as DataKeyId;
}

function additionalData(key: OpenKey, place: Place): Uint8Array {
  return pae([
    "pb.tv1",
    String(ALGORITHM_XAES),
    key.id,
    key.workspaceId,
    key.tenantUid,
    place.table,
    place.rowId,
    place.column,
    String(place.rowVersion),
  ]);
}

function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}
