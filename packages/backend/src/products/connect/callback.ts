import { AppError, encodeId, type AuthorizationMessage, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { getWorkspace } from "../../domain/workspaces/index.ts";
import { auditConsent } from "./audit-consent.ts";
import { cookieName } from "./browser-cookie.ts";
import type { ConnectDeps } from "./deps.ts";
import { endAuthorization } from "./end-authorization.ts";
import { exchange } from "./exchange.ts";
import { findAuthorization, hintOf, isOpen, ofAuthorization, type AuthorizationRow } from "./load-authorization.ts";
import { hintText, matchesHash, readOpaque } from "./opaque.ts";
import { returnUrlOf } from "./return-url.ts";
import { authorizations } from "./tables.ts";
import { withinTenant } from "./tenant-scope.ts";

/** A provider sent a browser back to us. */
export interface Callback {
  readonly provider: string;
  readonly query: URLSearchParams;
  readonly cookies: Readonly<Record<string, string>>;
  /** The `Sec-Fetch-Dest` header; `null` when the browser sent none. */
  readonly secFetchDest: string | null;
}

/** What to show. */
export type CallbackResult =
  /** Post `message` to the opener, at exactly `openerOrigin`; without an opener go on to `confirmUrl`. */
  | {
      readonly kind: "consented";
      readonly names: PageNames;
      readonly openerOrigin: string;
      readonly message: AuthorizationMessage;
      readonly confirmUrl: string;
    }
  | {
      readonly kind: "ended";
      readonly names: PageNames;
      readonly openerOrigin: string;
      readonly authorizationId: string;
      readonly error: string;
    }
  /** Redirect mode, either way: back to the host's registered page. */
  | { readonly kind: "redirect"; readonly url: string };

export interface PageNames {
  readonly hostName: string;
  readonly providerName: string;
}

/**
 * Takes the provider's answer: the state exists, is unused and unexpired, and belongs to this browser and provider.
 * Then tokens are fetched and sealed. There is no connection yet: who consented is still to be proved.
 *
 * @throws AppError `invalid_request`, `authorization_not_found`, `authorization_used`, `authorization_expired`: nothing
 *   was asked of the provider, and the authorization stays as it was
 */
export async function callback(deps: ConnectDeps, input: Callback): Promise<CallbackResult> {
  if (input.secFetchDest !== null && input.secFetchDest !== "document") {
    throw new AppError("invalid_request", "this address is for whole pages only");
  }
  const row = await consumeState(deps, input);
  const names = await namesOf(deps, row);
  const outcome = await exchange(deps, row, input.query);
  await auditConsent(deps, row, "authorization.consent", outcome.ok ? null : outcome.error);
  if (!outcome.ok) {
    await endAuthorization(deps, row, {
      status: "failed",
      error: outcome.error,
      ...(outcome.facts === undefined ? {} : { facts: outcome.facts }),
    });
    return ended(row, names, outcome.error);
  }
  if (row.display === "redirect") return { kind: "redirect", url: returnUrlOf(row, outcome.completionCode) };
  return {
    kind: "consented",
    names,
    openerOrigin: row.openerOrigin,
    message: {
      type: "patchbay:authorization",
      authorizationId: encodeId("auth", row.id),
      completionCode: outcome.completionCode,
    },
    confirmUrl: `${deps.publicUrl}/oauth/confirm/${hintText(hintOf(row))}`,
  };
}

export async function namesOf(
  deps: ConnectDeps,
  row: { readonly workspaceId: WorkspaceId; readonly tenantUid: TenantUid; readonly provider: string },
): Promise<PageNames> {
  const { name } = await getWorkspace(withinTenant(deps, row), row.workspaceId);
  return { hostName: name, providerName: deps.connectors[row.provider]?.name ?? row.provider };
}

/** Checks before it burns: a stranger who guesses at states, or a second browser, changes nothing. */
async function consumeState(deps: ConnectDeps, input: Callback): Promise<AuthorizationRow> {
  const states = input.query.getAll("state");
  const [state = ""] = states;
  const hint = states.length === 1 ? readOpaque(state) : null;
  const row = hint === null ? null : await deps.withWorkspace(hint.workspaceId, (tx) => findAuthorization(tx, hint));
  if (row === null) throw new AppError("authorization_not_found", "no such authorization");
  if (row.stateHash === null && row.status !== "created") throw used();
  if (!matchesHash(state, row.stateHash) || row.provider !== input.provider) {
    throw new AppError("authorization_not_found", "no such authorization");
  }
  const nonce = input.cookies[cookieName(deps.publicUrl, row.id)] ?? "";
  if (!matchesHash(nonce, row.browserNonceHash)) {
    throw new AppError("invalid_request", "this authorization was started in another browser");
  }
  if (!isOpen(row, deps.clock.now())) throw new AppError("authorization_expired", "this authorization has expired");
  const burnt = await deps.withTenant(row.workspaceId, row.tenantUid, (tx) =>
    tx
      .update(authorizations)
      .set({ stateHash: null })
      .where(
        and(
          ofAuthorization(hintOf(row)),
          eq(authorizations.status, "started"),
          eq(authorizations.stateHash, row.stateHash ?? new Uint8Array()),
        ),
      )
      .returning({ id: authorizations.id }),
  );
  if (burnt.length !== 1) throw used();
  return row;
}

function ended(row: AuthorizationRow, names: PageNames, error: string): CallbackResult {
  if (row.display === "redirect") return { kind: "redirect", url: returnUrlOf(row, null) };
  const authorizationId = encodeId("auth", row.id);
  return { kind: "ended", names, openerOrigin: row.openerOrigin, authorizationId, error };
}

function used(): AppError {
  return new AppError("authorization_used", "this authorization went on already; return to the page you came from");
}
