import type { Connector, OAuth2Auth } from "../../../connectors/kit/index.ts";

/** A connector whose OAuth method differs. */
export function withOAuth2(connector: Connector, changes: Partial<OAuth2Auth>): Connector {
  return {
    ...connector,
    auth: connector.auth.map((method) => (method.kind === "oauth2" ? { ...method, ...changes } : method)),
  };
}
