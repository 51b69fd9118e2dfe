import { decodeUuid, encodeUuid, type WorkspaceId } from "@patchbay/shared";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Secret, randomToken } from "../../platform/runtime/index.ts";

/** The parts of an API key. The workspace is an unverified hint until the hash was compared. */
export interface ParsedApiKey {
  readonly mode: "live" | "test";
  readonly workspaceId: WorkspaceId;
  readonly publicId: string;
  readonly secretHash: Uint8Array;
}

/**
 * `pb_<mode>_<workspace: 26><public id: 12><secret: 32><checksum: 7>`, all base 32 or base64url-safe characters.
 *
 * A rotated key keeps its public id. The checksum (CRC-32 of all before it) turns typing errors and scanners' noise away without a look at the database.
 */
export function makeApiKey(
  workspaceId: WorkspaceId,
  mode: "live" | "test",
  publicId = letters(12),
): { readonly text: Secret; readonly publicId: string; readonly secretHash: Uint8Array } {
  const secret = letters(32);
  const body = `pb_${mode}_${encodeUuid(workspaceId)}${publicId}${secret}`;
  return { text: new Secret(body + checksum(body)), publicId, secretHash: hash(body) };
}

/** `null` for anything that {@link makeApiKey} cannot have made. */
export function parseApiKey(text: string): ParsedApiKey | null {
  const match = /^pb_(live|test)_([0-9a-z]{26})([0-9A-Za-z]{12})([0-9A-Za-z]{32})([0-9a-z]{7})$/.exec(text);
  if (match === null) return null;
  const [, mode, workspace = "", publicId = "", , sum = ""] = match;
  const body = text.slice(0, -sum.length);
  if (checksum(body) !== sum) return null;
  const workspaceId = decodeUuid(workspace);
  if (workspaceId === null || (mode !== "live" && mode !== "test")) return null;
  return { mode, workspaceId: workspaceId as WorkspaceId, publicId, secretHash: hash(body) };
}

/** `count` letters and digits; base64url's two other characters are thrown away. */
function letters(count: number): string {
  let text = "";
  while (text.length < count) text += randomToken(count).replace(/[-_]/g, "");
  return text.slice(0, count);
}

function checksum(text: string): string {
  return crc32(text).toString(36).padStart(7, "0");
}

/** Over all parts, so that none of them, the mode included, can be exchanged. */
function hash(body: string): Uint8Array {
  return createHash("sha256").update(body).digest();
}
