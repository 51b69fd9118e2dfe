import * as oauth from "oauth4webapi";
import type { AboutToken, OAuthParty, Revocation, TokenActivity } from "./oauth-client.ts";
import { reachServer, type ReachDeps } from "./reach-server.ts";

/** Tells the server that a token is no longer wanted. A token that it does not know counts as done (RFC 7009 2.2). */
export async function revoke(deps: ReachDeps, at: OAuthParty, about: AboutToken): Promise<Revocation> {
  const endpoint = at.auth.revocationUrl?.(at.params);
  if (endpoint === undefined) return "done";
  const { token, kind, deadlineMs } = about;
  const reached = await reachServer(
    deps,
    at,
    { operation: "revoke", endpoint, deadlineMs },
    async ({ server, client, authentication, options }) => {
      const more = { ...options, additionalParameters: { token_type_hint: kind } };
      const response = await oauth.revocationRequest(server, client, authentication, token.reveal(), more);
      return oauth.processRevocationResponse(response);
    },
  );
  if (reached.ok) return "done";
  // Whatever else the server says of the token, saying it again changes nothing.
  return reached.problem === "unavailable" ? "unavailable" : "refused";
}

/** Whether a token still works, for servers that tell no lifetime. */
export async function introspect(deps: ReachDeps, at: OAuthParty, about: AboutToken): Promise<TokenActivity> {
  const endpoint = at.auth.introspectionUrl?.(at.params);
  if (endpoint === undefined) return "unknown";
  const { token, kind, deadlineMs } = about;
  const reached = await reachServer(
    deps,
    at,
    { operation: "introspect", endpoint, deadlineMs },
    async ({ server, client, authentication, options }) => {
      const more = { ...options, additionalParameters: { token_type_hint: kind } };
      const response = await oauth.introspectionRequest(server, client, authentication, token.reveal(), more);
      return oauth.processIntrospectionResponse(server, client, response);
    },
  );
  if (!reached.ok) return "unknown";
  return reached.answer.active ? "active" : "inactive";
}
