import { AppError } from "@patchbay/shared";
import { and, inArray } from "drizzle-orm";
import { auditConsent } from "./audit-consent.ts";
import { cookieName } from "./browser-cookie.ts";
import { namesOf, type PageNames } from "./callback.ts";
import type { ConnectDeps } from "./deps.ts";
import { BURNT } from "./end-authorization.ts";
import { findAuthorization, hintOf, isOpen, ofAuthorization, type AuthorizationRow } from "./load-authorization.ts";
import { hashOf, matchesHash, readHint } from "./opaque.ts";
import { authorizations } from "./tables.ts";

/** What the confirm screen says. It leans on a person reading, so it names host, account and the end user. */
export interface ConfirmScreen {
  readonly names: PageNames;
  readonly accountName: string;
  /** E-mail where known: a display name can be chosen by an attacker. */
  readonly endUser: string;
  /** Goes in the form. */
  readonly csrf: string;
}

/** Who asks: `reference` is the last segment of `confirmUrl`, the cookie is the proof. */
export interface ConfirmCaller {
  readonly reference: string;
  readonly cookies: Readonly<Record<string, string>>;
}

/** @throws AppError `authorization_not_found`, `invalid_request` in another browser, `authorization_used`, `authorization_expired` */
export async function confirmScreen(deps: ConnectDeps, caller: ConfirmCaller): Promise<ConfirmScreen> {
  const { row, nonce } = await authorizationOfBrowser(deps, caller);
  return {
    names: await namesOf(deps, row),
    accountName: row.accountName ?? row.provider,
    endUser: row.endUserEmail ?? row.endUserLabel ?? row.endUserId,
    csrf: csrfOf(nonce),
  };
}

/**
 * The person's answer. After `connect` the widget that started it may complete; `refuse` ends it.
 *
 * @throws as {@link confirmScreen}
 */
export async function answerConfirmation(
  deps: ConnectDeps,
  input: ConfirmCaller & { readonly csrf: string; readonly answer: "connect" | "refuse" },
): Promise<{ readonly kind: "confirmed" | "refused"; readonly names: PageNames }> {
  const { row, nonce } = await authorizationOfBrowser(deps, input);
  if (!matchesHash(input.csrf, hashOf(csrfOf(nonce)))) {
    throw new AppError("invalid_request", "this form was not made for this browser");
  }
  const refused = input.answer === "refuse";
  await auditConsent(deps, row, "authorization.confirm", refused ? "access_denied" : null);
  await deps.withTenant(row.workspaceId, row.tenantUid, (tx) =>
    tx
      .update(authorizations)
      .set(refused ? { status: "canceled", error: "access_denied", ...BURNT } : { status: "confirmed" })
      .where(and(ofAuthorization(hintOf(row)), inArray(authorizations.status, ["exchanged", "confirmed"]))),
  );
  return { kind: refused ? "refused" : "confirmed", names: await namesOf(deps, row) };
}

async function authorizationOfBrowser(
  deps: ConnectDeps,
  caller: ConfirmCaller,
): Promise<{ readonly row: AuthorizationRow; readonly nonce: string }> {
  const hint = readHint(caller.reference);
  const row = hint === null ? null : await deps.withWorkspace(hint.workspaceId, (tx) => findAuthorization(tx, hint));
  if (row === null) throw new AppError("authorization_not_found", "no such authorization");
  const nonce = caller.cookies[cookieName(deps.publicUrl, row.id)] ?? "";
  if (row.browserNonceHash === null) throw new AppError("authorization_used", "this authorization is over");
  if (!matchesHash(nonce, row.browserNonceHash)) {
    throw new AppError("invalid_request", "this authorization was started in another browser");
  }
  if (!isOpen(row, deps.clock.now())) throw new AppError("authorization_expired", "this authorization has expired");
  if (row.status !== "exchanged" && row.status !== "confirmed") {
    throw new AppError("authorization_not_found", "there is nothing to confirm yet");
  }
  return { row, nonce };
}

/** Only a page that we showed to the cookie's owner holds it; the cookie itself is not readable by pages. */
function csrfOf(nonce: string): string {
  return Buffer.from(hashOf(`confirm:${nonce}`)).toString("base64url");
}
