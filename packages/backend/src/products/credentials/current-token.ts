import { KeyDestroyedError } from "../../domain/vault/index.ts";
import type { Access, CredentialsDeps } from "./deps.ts";
import type { GrantRow } from "./load-grant.ts";
import { openPair, tokensPlace } from "./token-pair.ts";

/** The token of a row as it was read. */
export async function currentToken(deps: CredentialsDeps, row: GrantRow): Promise<Access> {
  if (row.tokens === null) return { problem: "reauthorize" };
  try {
    const pair = await openPair(deps.vault, row.workspaceId, tokensPlace(row.id, row.rowVersion), row.tokens);
    return { token: pair.accessToken, rowVersion: row.rowVersion };
  } catch (error) {
    // Given back between the reading of the row and of its key.
    if (error instanceof KeyDestroyedError) return { problem: "reauthorize" };
    throw error;
  }
}
