import { RETURN_PARAMETERS, encodeId } from "@patchbay/shared";
import type { AuthorizationRow } from "./load-authorization.ts";

/** The page that the session named when it was minted, one of the workspace's own. The browser has no say in it. */
export function returnUrlOf(row: AuthorizationRow, completionCode: string | null): string {
  if (row.returnUrl === null) throw new Error("redirect mode without a return URL");
  const url = new URL(row.returnUrl);
  url.searchParams.set(RETURN_PARAMETERS.authorization, encodeId("auth", row.id));
  if (completionCode !== null) url.searchParams.set(RETURN_PARAMETERS.code, completionCode);
  return url.href;
}
