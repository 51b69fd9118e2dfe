import { LRUCache } from "lru-cache";
import { authMethod } from "../../connectors/kit/index.ts";
import { currentToken } from "./current-token.ts";
import type { CredentialsDeps } from "./deps.ts";
import { partyOf, type GrantRow } from "./load-grant.ts";

/** Knows of tokens without an end whether their server still takes them. Per process: what it says is a minute old. */
export interface Activity {
  /** Always false for tokens with an end, and where the provider offers no introspection. */
  hasEnded(deps: CredentialsDeps, row: GrantRow): Promise<boolean>;
}

const CACHED_MS = 60_000;
const TOKENS_MAX = 10_000;
const DEADLINE_MS = 5_000;

export function createActivity(): Activity {
  /** Grant and version → when its token was last seen alive. */
  const seenAlive = new LRUCache<string, number>({ max: TOKENS_MAX });
  return {
    async hasEnded(deps, row) {
      if (row.accessExpiresAt !== null || !offersIntrospection(deps, row)) return false;
      const name = `${row.workspaceId}:${row.id}:${row.rowVersion}`;
      const now = deps.clock.now().getTime();
      const seenAt = seenAlive.get(name);
      if (seenAt !== undefined && now - seenAt < CACHED_MS) return false;
      const [party, access] = await Promise.all([partyOf(deps, row), currentToken(deps, row)]);
      if (party === null || !("token" in access)) return false;
      const about = { token: access.token, kind: "access_token", deadlineMs: DEADLINE_MS } as const;
      const activity = await deps.oauth.introspect(party, about);
      // What the server does not tell is not held against the token: a 401 will tell.
      if (activity === "inactive") return true;
      seenAlive.set(name, now);
      return false;
    },
  };
}

function offersIntrospection(deps: CredentialsDeps, row: GrantRow): boolean {
  const connector = deps.connectors[row.provider];
  if (connector === undefined) return false;
  const method = authMethod(connector, row.authMethod);
  return "introspectionUrl" in method && method.introspectionUrl !== null;
}
