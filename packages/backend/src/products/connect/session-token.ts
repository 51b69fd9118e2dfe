import { decodeUuid, encodeUuid, type WorkspaceId } from "@patchbay/shared";
import { Secret, randomToken } from "../../platform/runtime/index.ts";
import { SECRET_BYTES } from "./opaque.ts";

/** `cst_<mode>_<workspace: 26><random: 43>`. The workspace is an unverified hint until the hash was compared. */
export function makeSessionToken(workspaceId: WorkspaceId, mode: "live" | "test"): Secret {
  return new Secret(`cst_${mode}_${encodeUuid(workspaceId)}${randomToken(SECRET_BYTES)}`);
}

/** The workspace that a token claims; `null` for anything that {@link makeSessionToken} cannot have made. */
export function readSessionToken(text: string): WorkspaceId | null {
  const [, workspace = ""] = /^cst_(?:live|test)_([0-9a-z]{26})[A-Za-z0-9_-]{43}$/.exec(text) ?? [];
  return decodeUuid(workspace) as WorkspaceId | null;
}
