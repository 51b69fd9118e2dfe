import { createHmac } from "node:crypto";
import { randomToken, Secret } from "../../platform/runtime/index.ts";

const PREFIX = "whsec_";
const KEY_BYTES = 32;

/** What is signed: the exact bytes that are sent, under an id that stays the same over retries. */
export interface SignedMessage {
  /** Holds no `.`. */
  readonly id: string;
  /** When this attempt is made, not when the event happened. */
  readonly sentAt: Date;
  readonly body: Uint8Array;
}

/**
 * The headers of Standard Webhooks v1: one signature for each secret, in the order given (newest first).
 *
 * @param secrets `whsec_` and base64
 * @see https://www.standardwebhooks.com (section "Signature scheme")
 */
export function signatureHeaders(secrets: readonly Secret[], message: SignedMessage) {
  const timestamp = Math.floor(message.sentAt.getTime() / 1000).toString();
  return {
    "webhook-id": message.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": secrets.map((secret) => `v1,${mac(secret, timestamp, message)}`).join(" "),
  };
}

/** A new signing secret. */
export function newSigningSecret(): Secret {
  return new Secret(PREFIX + Buffer.from(randomToken(KEY_BYTES), "base64url").toString("base64"));
}

function mac(secret: Secret, timestamp: string, message: SignedMessage): string {
  const key = Buffer.from(secret.reveal().slice(PREFIX.length), "base64");
  return createHmac("sha256", key).update(`${message.id}.${timestamp}.`).update(message.body).digest("base64");
}
