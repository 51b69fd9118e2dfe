import { KeyDestroyedError } from "../../domain/vault/index.ts";
import type { Access, CredentialsDeps } from "./deps.ts";
import type { GrantRow } from "./load-grant.ts";
import { openSecret, tokensPlace } from "./token-pair.ts";

/** The credential of a row as it was read. */
export async function currentToken(deps: CredentialsDeps, row: GrantRow): Promise<Access> {
  if (row.tokens === null) return { problem: "reauthorize" };
  try {
    const { rowVersion } = row;
    const secret = await openSecret(deps.vault, row.workspaceId, tokensPlace(row.id, rowVersion), row.tokens);
    return secret.kind === "fields" ? { fields: secret.fields, rowVersion } : { token: secret.accessToken, rowVersion };
  } catch (error) {
    // Given back between the reading of the row and of its key.
    if (error instanceof KeyDestroyedError) return { problem: "reauthorize" };
    throw error;
  }
}
