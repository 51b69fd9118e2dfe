import type { AuditCheckpoint } from "@patchbay/shared";
import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";

type Statement = Omit<AuditCheckpoint, "signature">;

/** Signs how a chain stands. @param key Ed25519, whose public half is in the statement */
export function signCheckpoint(statement: Statement, key: KeyObject): AuditCheckpoint {
  return { ...statement, signature: sign(null, signedText(statement), key).toString("base64url") };
}

/** Whether the key that the checkpoint names has signed it. Whether that key is the right one is another question. */
export function isSigned({ signature, ...statement }: AuditCheckpoint): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(statement.publicKey, "base64"), format: "der", type: "spki" });
    return (
      key.asymmetricKeyType === "ed25519" &&
      verify(null, signedText(statement), key, Buffer.from(signature, "base64url"))
    );
  } catch {
    // What is no key has signed nothing.
    return false;
  }
}

/** With a line before it that no other text of ours begins with. */
function signedText(statement: Statement): Buffer {
  return Buffer.from(`patchbay.audit.checkpoint.v1\n${canonicalJson(statement)}`);
}
