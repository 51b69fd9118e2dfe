import type { CompleteAuthorization } from "@patchbay/shared";
import { constantTimeEqual } from "@oslojs/crypto/subtle";
import type { AuthorizationRow } from "./load-authorization.ts";
import { hashOf, matchesHash } from "./opaque.ts";

/**
 * Whether the browser that consented is the one that started. The caller has checked that the session is of the end
 * user who started.
 *
 * - Popup: the verifier, which only the starting page holds, and the code that our page posted to its opener; or, when
 *   no window could vouch, the verifier after the person confirmed.
 * - Redirect: the code that went to the host's registered page.
 * - Page reloaded, so that the verifier is lost: the person confirmed.
 *
 * Without consent's code or confirmation a verifier proves nothing: an attacker who sends a victim to the start link
 * holds it.
 */
export function proves(
  row: Pick<AuthorizationRow, "verifierChallenge" | "completionCodeHash" | "display" | "status">,
  proof: CompleteAuthorization,
): "proved" | "missing" | "wrong" {
  const { verifier, completionCode } = proof;
  if (verifier !== undefined && !matchesChallenge(verifier, row.verifierChallenge)) return "wrong";
  if (completionCode !== undefined && !matchesHash(completionCode, row.completionCodeHash)) return "wrong";
  if (completionCode !== undefined && (verifier !== undefined || row.display === "redirect")) return "proved";
  return row.status === "confirmed" ? "proved" : "missing";
}

/** S256 as in PKCE: base64url of the SHA-256 of the verifier's text. */
function matchesChallenge(verifier: string, challenge: string): boolean {
  const computed = Buffer.from(hashOf(verifier)).toString("base64url");
  return constantTimeEqual(Buffer.from(computed), Buffer.from(challenge));
}
