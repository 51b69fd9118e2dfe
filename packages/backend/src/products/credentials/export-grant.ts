import { AppError, type ExportedCredentials } from "@patchbay/shared";
import { CompactEncrypt } from "jose";
import { grants } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { isLeased } from "./claim-refresh.ts";
import type { CredentialsDeps, GrantTarget } from "./deps.ts";
import { lockGrant, ofGrant, type GrantRow } from "./load-grant.ts";
import type { Recipient } from "./recipient-key.ts";
import { openSecret, tokensPlace, type GrantSecret } from "./token-pair.ts";

/** What the credentials are told with; `credentials` comes from the grant. */
export type ExportFacts = Omit<ExportedCredentials, "credentials" | "method" | "scopes">;

/** A grant's credentials as they stood in one transaction, still sealed. */
export interface GrantSnapshot {
  readonly row: GrantRow;
}

/**
 * Takes a grant's credentials for an export, in the caller's transaction. Not while a refresh is under way: what it
 * brings would make this copy worthless.
 *
 * @param release from now on they are the host's: nothing here refreshes them or gives them back
 * @throws AppError `reauthorization_required` when they do not work; `request_in_flight` during a refresh
 */
export async function takeSnapshot(tx: Tx, target: GrantTarget, release: boolean): Promise<GrantSnapshot> {
  const seen = await lockGrant(tx, target);
  if (seen === null) throw new Error("no such grant");
  const { row, now } = seen;
  if (row.tokens === null || row.state === "dead" || row.state === "ended") {
    throw new AppError(
      "reauthorization_required",
      "there are no credentials that work; the account must be connected again",
    );
  }
  if (isLeased(row, now)) {
    throw new AppError("request_in_flight", "these credentials are being refreshed just now; try again", {
      retryAfterSeconds: 1,
    });
  }
  if (release) {
    // The raised fence keeps a refresh that lost its lease from writing what it brings.
    await tx
      .update(grants)
      .set({ handedOverAt: now, fence: row.fence + 1, updatedAt: now })
      .where(ofGrant(target));
  }
  return { row };
}

/** The host gives the credentials back into our care. */
export async function takeBack(deps: Pick<CredentialsDeps, "clock">, tx: Tx, target: GrantTarget): Promise<void> {
  await tx.update(grants).set({ handedOverAt: null, updatedAt: deps.clock.now() }).where(ofGrant(target));
}

/** The snapshot for one reader alone: a compact JWE. The clear text exists in here and nowhere else. */
export async function encryptSnapshot(
  deps: Pick<CredentialsDeps, "vault">,
  { row }: GrantSnapshot,
  recipient: Recipient,
  facts: ExportFacts,
): Promise<string> {
  if (row.tokens === null) throw new Error("a snapshot without credentials");
  const secret = await openSecret(deps.vault, row.workspaceId, tokensPlace(row.id, row.rowVersion), row.tokens);
  const content: ExportedCredentials = {
    ...facts,
    method: row.authMethod,
    scopes: row.scopes,
    credentials: toImport(secret),
  };
  return new CompactEncrypt(Buffer.from(JSON.stringify(content)))
    .setProtectedHeader({
      alg: recipient.algorithm,
      enc: "A256GCM",
      typ: "patchbay-credentials+json",
      cty: "json",
      ...(recipient.keyId === null ? {} : { kid: recipient.keyId }),
    })
    .encrypt(recipient.key);
}

/** As `POST /v1/connections/import` takes them. A derived token is left out: whoever has the fields asks for one. */
function toImport(secret: GrantSecret): ExportedCredentials["credentials"] {
  if (secret.kind !== "tokens") {
    return { fields: Object.fromEntries(Object.entries(secret.fields).map(([name, value]) => [name, value.reveal()])) };
  }
  const { accessToken, refreshToken, accessExpiresAt, refreshExpiresAt } = secret;
  return {
    tokens: {
      accessToken: accessToken.reveal(),
      ...(refreshToken === null ? {} : { refreshToken: refreshToken.reveal() }),
      ...(accessExpiresAt === null ? {} : { expiresAt: accessExpiresAt.toISOString() }),
      ...(refreshExpiresAt === null ? {} : { refreshExpiresAt: refreshExpiresAt.toISOString() }),
    },
  };
}
